import { expect, test } from "vitest";

import type { Pull } from "@/api/models";

import { plainParameters, plainPull, plainQuant } from "./words";

test("a quantisation is told by what it costs", () => {
  expect(plainQuant("Q4_K_M")).toBe("small and fast, nearly as good");
  expect(plainQuant("MXFP4")).toBe("small and fast, nearly as good");
  expect(plainQuant("IQ2_XS")).toBe("very small, noticeably worse");
  expect(plainQuant("Q8_0")).toBe("large, almost nothing lost");
  expect(plainQuant("BF16")).toBe("full size, nothing lost");
  expect(plainQuant("odd")).toBe("as published");
});

test("weights are counted in words", () => {
  expect(plainParameters(7_620_000_000)).toBe("7.6 billion");
  expect(plainParameters(4_131_584)).toBe("4.1 million");
});

test("a pull says how far it is, how fast, and how long it takes", () => {
  const progress = {
    phase: "downloading",
    file: "a.gguf",
    done_bytes: 1_000_000,
    total_bytes: 4_000_000,
    rate_bytes_s: 500_000,
    eta_s: 6,
    files: [],
    note: "",
  };
  const pull: Pull = {
    id: "1",
    source: "hf:a/b",
    state: "running",
    began_at: "2026-01-01T00:00:00Z",
    model: null,
    installed: null,
    error: null,
    progress,
  };
  expect(plainPull(pull)).toBe("1 MB of 4 MB · 500 kB/s · 6 s left");
  expect(plainPull({ ...pull, state: "paused" })).toBe("Paused at 1 MB of 4 MB");
  expect(plainPull({ ...pull, progress: null })).toBe("Beginning…");
  expect(plainPull({ ...pull, progress: { ...progress, phase: "checking" } })).toBe(
    "Checking every byte…",
  );
});
