import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Download, Play } from "lucide-react";
import { useEffect } from "react";

import {
  isUnderWay,
  modelsQuery,
  type Pull,
  pullsQuery,
  startPull,
  type Suggestion,
  suggestionsQuery,
} from "@/api/models";
import { formatBytes, formatDuration } from "@/lib/format";
import { Badge } from "@/ui/Badge";
import { Button } from "@/ui/Button";
import { Progress } from "@/ui/Progress";
import { ErrorState, Skeleton } from "@/ui/states";

import styles from "./Suggestions.module.css";

const SHOWN = 4;

/** Models that chat and fit this machine's memory, each installed by one click. */
export function Suggestions({ onPick }: { onPick: (model: string) => void }) {
  const { data, error, refetch } = useQuery(suggestionsQuery);
  const { data: pulls } = useQuery(pullsQuery);
  const { data: models } = useQuery(modelsQuery);
  const queries = useQueryClient();

  const installed = pulls?.filter((pull) => pull.state === "installed").length ?? 0;
  useEffect(() => {
    if (installed) void queries.invalidateQueries({ queryKey: modelsQuery.queryKey });
  }, [installed, queries]);

  if (error) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton lines={4} />;
  const chats = data.suggestions.filter(({ model }) => model.tasks.includes("chat"));
  return (
    <section className={styles.suggestions} aria-labelledby="suggestions">
      <header>
        <h2 id="suggestions">Models that fit this machine</h2>
        <span>{formatBytes(data.memory_bytes)} of memory for models</span>
      </header>
      <ul>
        {varied(chats).map((one) => (
          <li key={one.model.name}>
            <SuggestionRow
              suggestion={one}
              pull={pulls?.find(
                (pull) => pull.source === one.model.name || pull.model === one.model.name,
              )}
              isInstalled={models?.models.some(({ id }) => id === one.model.name) ?? false}
              onPick={onPick}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}

interface SuggestionRowProps {
  suggestion: Suggestion;
  pull: Pull | undefined;
  isInstalled: boolean;
  onPick: (model: string) => void;
}

function SuggestionRow({ suggestion, pull, isInstalled, onPick }: SuggestionRowProps) {
  const { model, size_bytes } = suggestion;
  const queries = useQueryClient();
  const starting = useMutation({
    mutationFn: startPull,
    onSuccess: () => queries.invalidateQueries({ queryKey: pullsQuery.queryKey }),
  });
  const isPulling = pull !== undefined && isUnderWay(pull);
  return (
    <div className={styles.row}>
      <div className={styles.what}>
        <h3>
          {model.name}
          {model.tasks.includes("vision") && <Badge>sees images</Badge>}
        </h3>
        <p>{model.for}</p>
        {pull?.error && <p className={styles.error}>{pull.error.message}</p>}
      </div>
      {isPulling ? (
        <div className={styles.progress}>
          <Progress
            label={`Download of ${model.name}`}
            value={pull.progress?.done_bytes}
            max={pull.progress?.total_bytes ?? size_bytes}
          />
          <span>{progressText(pull)}</span>
        </div>
      ) : isInstalled ? (
        <Button size="s" icon={<Play />} onClick={() => onPick(model.name)}>
          Use it
        </Button>
      ) : (
        <Button
          size="s"
          icon={<Download />}
          isBusy={starting.isPending}
          onClick={() => starting.mutate(model.name)}
        >
          {pull ? "Try again" : "Install"}
          <span className="visually-hidden">{model.name}</span>
          <span className={styles.size}>{formatBytes(size_bytes)}</span>
        </Button>
      )}
    </div>
  );
}

function progressText({ progress }: Pull): string {
  if (!progress) return "Beginning…";
  if (progress.phase !== "downloading") return progress.phase;
  const { done_bytes, total_bytes, eta_s } = progress;
  const parts = [formatBytes(done_bytes)];
  if (total_bytes) parts.push(`of ${formatBytes(total_bytes)}`);
  if (eta_s) parts.push(`· ${formatDuration(eta_s)} left`);
  return parts.join(" ");
}

/** A few from the most capable to the smallest: who has little time or disk finds one as well. */
function varied(suggestions: readonly Suggestion[]): Suggestion[] {
  const sorted = [...suggestions].sort((one, other) => other.size_bytes - one.size_bytes);
  if (sorted.length <= SHOWN) return sorted;
  const step = (sorted.length - 1) / (SHOWN - 1);
  return Array.from({ length: SHOWN }, (_, index) => sorted[Math.round(index * step)]!);
}
