import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { CircleAlert, CircleCheck, Pause, Play, X } from "lucide-react";
import { useEffect, useState } from "react";

import { isUnderWay, modelsQuery, type Pull, pullsQuery } from "@/api/models";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Section } from "@/ui/Page";
import { Progress } from "@/ui/Progress";
import { ErrorState } from "@/ui/states";

import { cancelPull, pausePull, resumePull } from "./actions";
import styles from "./Models.module.css";
import { plainPull } from "./words";

/** What is being fetched, was, or broke off; nothing where there is none. */
export function Downloads() {
  const { data, error, refetch } = useQuery(pullsQuery);
  const queries = useQueryClient();
  const [cancelled, setCancelled] = useState<Pull | null>(null);

  const installed = data?.filter((pull) => pull.state === "installed").length ?? 0;
  useEffect(() => {
    if (installed) void queries.invalidateQueries({ queryKey: modelsQuery.queryKey });
  }, [installed, queries]);

  const changed = {
    onSettled: () => queries.invalidateQueries({ queryKey: pullsQuery.queryKey }),
  };
  const pausing = useMutation({ mutationFn: pausePull, ...changed });
  const resuming = useMutation({ mutationFn: resumePull, ...changed });
  const cancelling = useMutation({ mutationFn: cancelPull, ...changed });

  if (error) return <ErrorState error={error} onRetry={() => void refetch()} />;
  const shown = data?.filter((pull) => pull.state !== "cancelled") ?? [];
  if (!shown.length) return null;
  return (
    <Section title="Downloads">
      <ul className={styles.list}>
        {shown.map((pull) => (
          <li key={pull.id}>
            <PullRow
              pull={pull}
              onPause={() => pausing.mutate(pull.id)}
              onResume={() => resuming.mutate(pull.id)}
              onCancel={() => setCancelled(pull)}
              onForget={() => cancelling.mutate(pull.id)}
            />
          </li>
        ))}
      </ul>
      <Confirm
        isOpen={cancelled !== null}
        onClose={() => setCancelled(null)}
        onConfirm={() => cancelled && cancelling.mutate(cancelled.id)}
        title="Cancel this download?"
        description="What has come is deleted. To go on later, pause it instead."
        deed="Cancel the download"
      />
    </Section>
  );
}

interface PullRowProps {
  pull: Pull;
  onPause: () => void;
  onResume: () => void;
  onCancel: () => void;
  onForget: () => void;
}

function PullRow({ pull, onPause, onResume, onCancel, onForget }: PullRowProps) {
  const name = pull.model ?? pull.source;
  const { progress, state } = pull;
  const total = progress?.total_bytes;
  const isDone = state === "installed";
  return (
    <article className={styles.row} aria-label={`Download of ${name}`}>
      <div className={styles.what}>
        <h3>{name}</h3>
        {pull.source !== name && <p className={styles.mono}>{pull.source}</p>}
        {(isUnderWay(pull) || state === "paused") && (
          <Progress
            label={`Download of ${name}`}
            value={total ? progress.done_bytes : isUnderWay(pull) ? undefined : 0}
            max={total ?? 1}
          />
        )}
        <p className={styles.state} data-state={state}>
          {isDone && <CircleCheck aria-hidden />}
          {state === "failed" && <CircleAlert aria-hidden />}
          {plainPull(pull)}
        </p>
        {progress?.note && !isDone && <p>{progress.note}</p>}
        {pull.error && <p className={styles.bad}>{pull.error.message}</p>}
      </div>
      <div className={styles.deeds}>
        {state === "running" && (
          <Button size="s" icon={<Pause />} onClick={onPause}>
            Pause
          </Button>
        )}
        {(state === "paused" || state === "failed") && (
          <Button size="s" icon={<Play />} onClick={onResume}>
            {state === "paused" ? "Resume" : "Try again"}
          </Button>
        )}
        {isDone ? (
          <IconButton label={`Hide ${name}`} icon={<X />} size="s" onClick={onForget} />
        ) : (
          state !== "elsewhere" && (
            <Button size="s" kind="quiet" onClick={onCancel}>
              Cancel
            </Button>
          )
        )}
      </div>
    </article>
  );
}
