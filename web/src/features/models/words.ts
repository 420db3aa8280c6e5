import type { Pull } from "@/api/models";
import { formatBytes, formatDuration } from "@/lib/format";

const CAPABILITIES: Record<string, string> = {
  chat: "chats",
  completions: "continues text",
  code: "writes code",
  embeddings: "embeds text",
  rerank: "ranks documents",
  vision: "sees images",
  images: "draws images",
  transcription: "writes down speech",
  translation: "translates speech",
  speech: "speaks",
};

/** A capability or task as people say it. */
export function plainCapability(name: string): string {
  return CAPABILITIES[name] ?? name;
}

/** What a quantisation means for who uses it: `Q4_K_M` is "4 bits a weight: …". */
export function plainQuant(quant: string): string {
  const bits = /^(?:I?Q|MXFP|BF|F)(\d+)/i.exec(quant)?.[1];
  if (!bits) return "as published";
  const count = Number(bits);
  if (count <= 3) return "very small, noticeably worse";
  if (count === 4) return "small and fast, nearly as good";
  if (count <= 6) return "a little larger, hardly any loss";
  if (count === 8) return "large, almost nothing lost";
  return "full size, nothing lost";
}

/** `7.6 billion`, `4.1 million`. */
export function plainParameters(count: number): string {
  const one = (value: number) => String(Math.round(value * 10) / 10);
  return count >= 1e9 ? `${one(count / 1e9)} billion` : `${one(count / 1e6)} million`;
}

const PHASES: Record<string, string> = {
  asking: "Asking what there is",
  waiting: "Waiting for another download",
  checking: "Checking every byte",
  installing: "Installing",
};

/** Where a pull is, in a line. */
export function plainPull(pull: Pull): string {
  const had = pull.progress && shareOf(pull);
  switch (pull.state) {
    case "installed":
      return `Installed as ${pull.installed?.name ?? pull.model ?? "a model"}`;
    case "failed":
      return had ? `Failed at ${had}` : "Failed";
    case "paused":
      return had ? `Paused at ${had}` : "Paused";
    case "cancelled":
      return "Cancelled";
    case "running":
    case "elsewhere":
      return moving(pull);
  }
}

function moving(pull: Pull): string {
  const { progress } = pull;
  const elsewhere = pull.state === "elsewhere" ? " (by another program of this machine)" : "";
  if (!progress) return `Beginning…${elsewhere}`;
  const phase = PHASES[progress.phase];
  if (phase) return `${phase}…${elsewhere}`;
  const parts = [shareOf(pull)];
  if (progress.rate_bytes_s) parts.push(`${formatBytes(progress.rate_bytes_s)}/s`);
  if (progress.eta_s) parts.push(`${formatDuration(Math.ceil(progress.eta_s))} left`);
  return parts.join(" · ") + elsewhere;
}

function shareOf({ progress }: Pull): string {
  if (!progress) return "";
  const done = formatBytes(progress.done_bytes);
  return progress.total_bytes ? `${done} of ${formatBytes(progress.total_bytes)}` : done;
}
