import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** The first screen's script, compressed, stays below this; the build fails beyond it. */
const FIRST_SCREEN_BYTES = 250 * 1024;
const FIRST_SCREEN = "/src/features/chat/index.tsx";

/** Fails the build when what the first screen loads has grown too large. */
function budget(): Plugin {
  return {
    name: "ingle-budget",
    apply: "build",
    generateBundle(_, bundle) {
      const wanted = new Set<string>();
      const take = (fileName: string) => {
        const chunk = bundle[fileName];
        if (chunk?.type !== "chunk" || wanted.has(fileName)) return;
        wanted.add(fileName);
        chunk.imports.forEach(take);
      };
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        if (chunk.isEntry || chunk.facadeModuleId?.endsWith(FIRST_SCREEN)) take(chunk.fileName);
      }
      let bytes = 0;
      for (const fileName of wanted) {
        const chunk = bundle[fileName];
        if (chunk?.type === "chunk") bytes += gzipSync(chunk.code, { level: 9 }).length;
      }
      const told = `first screen: ${(bytes / 1024).toFixed(1)} KiB of script (gzip), of ${FIRST_SCREEN_BYTES / 1024}`;
      if (bytes > FIRST_SCREEN_BYTES) this.error(`${told}. Load what it does not need later.`);
      this.info(told);
    },
  };
}

/** Writes `.gz` and `.br` beside every text file, so that the server compresses nothing. */
function compressed(): Plugin {
  return {
    name: "ingle-compressed",
    apply: "build",
    writeBundle({ dir }) {
      for (const entry of readdirSync(dir!, { recursive: true, encoding: "utf8" })) {
        if (!/\.(js|css|html|svg|json|webmanifest)$/.test(entry)) continue;
        const path = join(dir!, entry);
        const data = readFileSync(path);
        if (data.length < 512) continue;
        writeFileSync(`${path}.gz`, gzipSync(data, { level: 9 }));
        const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
        writeFileSync(`${path}.br`, brotliCompressSync(data, { params }));
      }
    },
  };
}

const server = process.env["INGLE_URL"] ?? "http://127.0.0.1:4645";
const proxied = { target: server, changeOrigin: true, headers: { origin: server } };

export default defineConfig({
  plugins: [react(), budget(), compressed()],
  resolve: { alias: { "@": join(import.meta.dirname, "src") } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // data: URIs would need a wider Content-Security-Policy
    modulePreload: { polyfill: false }, // it is an inline script
    sourcemap: false,
  },
  server: {
    proxy: { "/api": proxied, "/v1": proxied, "/health": proxied, "/generated-images": proxied },
  },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"] },
});
