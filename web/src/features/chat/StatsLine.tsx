import { useQuery } from "@tanstack/react-query";

import { enginesQuery } from "@/api/engines";
import { formatNumber } from "@/lib/format";

import styles from "./StatsLine.module.css";
import type { Message } from "./tree";

/** What an answer took, in one quiet line: its model, tokens, speed, and use of the context window. */
export function StatsLine({ message }: { message: Message }) {
  const { data: engines } = useQuery({ ...enginesQuery, staleTime: 60_000 });
  const { stats } = message;
  const window = engines?.find((one) => one.name === message.model)?.context_tokens;
  const parts = [message.model ?? ""];
  if (stats) {
    parts.push(`${formatNumber(stats.completionTokens)} tokens`);
    if (stats.tokensPerS) parts.push(`${formatNumber(stats.tokensPerS)} tokens/s`);
    if (stats.contextTokens) {
      const used = formatNumber(stats.contextTokens);
      parts.push(window ? `${used} of ${formatNumber(window)} in context` : `${used} in context`);
    }
  }
  return <span className={styles.stats}>{parts.filter(Boolean).join(" · ")}</span>;
}
