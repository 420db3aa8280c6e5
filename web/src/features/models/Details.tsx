import { useQuery } from "@tanstack/react-query";

import { Problem } from "@/lib/problem";
import { formatBytes, formatNumber } from "@/lib/format";
import { CodeView } from "@/ui/CodeView";
import { Dialog } from "@/ui/Dialog";
import { ErrorState, Skeleton } from "@/ui/states";

import { describeModel, type ModelDetails, readLog } from "./actions";
import styles from "./Models.module.css";

const LOG_MS = 2000;

/** All that is known of one model, and the end of its engine's log as it grows. */
export function Details({ name, onClose }: { name: string | null; onClose: () => void }) {
  return (
    <Dialog isOpen={name !== null} onClose={onClose} title={name ?? ""} shape="drawer-right">
      {name && <Known name={name} />}
    </Dialog>
  );
}

function Known({ name }: { name: string }) {
  const { data, error, refetch } = useQuery({
    queryKey: ["models", name],
    queryFn: () => describeModel(name),
  });
  const log = useQuery({
    queryKey: ["engines", name, "log"],
    queryFn: () => readLog(name),
    refetchInterval: LOG_MS,
    retry: false,
  });
  const hasNoLog = log.error instanceof Problem && log.error.status === 404;
  return (
    <div className={styles.details}>
      {error && <ErrorState error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeleton lines={8} />}
      {data && <Facts model={data} />}
      <h3>Log of its engine</h3>
      {log.error && !hasNoLog && <ErrorState error={log.error} />}
      {(hasNoLog || log.data?.length === 0) && (
        <p className={styles.muted}>Nothing yet. It has one once the model was loaded.</p>
      )}
      {log.data && log.data.length > 0 && (
        <CodeView code={log.data.join("\n")} title="the last lines" isTall />
      )}
    </div>
  );
}

function Facts({ model }: { model: ModelDetails }) {
  const { estimate, header, origin } = model;
  const facts: [string, string | null | undefined][] = [
    ["Memory it takes", estimate.total_bytes ? formatBytes(estimate.total_bytes) : null],
    ["On the GPU", estimate.gpu_bytes ? formatBytes(estimate.gpu_bytes) : null],
    ["Models may take", formatBytes(estimate.limit_bytes)],
    [
      "Context of a call",
      estimate.context_tokens ? `${formatNumber(estimate.context_tokens)} tokens` : null,
    ],
    ["Calls at the same time", estimate.slots?.toString()],
    ["Made for", header?.context_tokens ? `${formatNumber(header.context_tokens)} tokens` : null],
    ["Architecture", model.architecture],
    ["Run by", model.engine],
    ["Other names", model.aliases.join(", ")],
    ["Comes from", origin?.source],
    ["Lies in", model.path],
  ];
  return (
    <>
      {estimate.reason && <ErrorState error={new Error(estimate.reason)} />}
      <dl className={styles.known}>
        {facts.map(
          ([label, value]) =>
            value && (
              <div key={label}>
                <dt>{label}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
    </>
  );
}
