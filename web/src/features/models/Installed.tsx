import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Box, EllipsisVertical, Info, Power, ShieldCheck, Trash2 } from "lucide-react";
import { useState } from "react";

import { enginesQuery } from "@/api/engines";
import { modelsQuery, type Model } from "@/api/models";
import { formatBytes, formatNumber } from "@/lib/format";
import { Badge } from "@/ui/Badge";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Menu } from "@/ui/Menu";
import { Section } from "@/ui/Page";
import { EmptyState, ErrorState, Skeleton } from "@/ui/states";
import { toast } from "@/ui/Toasts";

import { type Engine, loadModel, removeModel, unloadModel, verifyModel } from "./actions";
import { Details } from "./Details";
import styles from "./Models.module.css";
import { plainCapability, plainParameters } from "./words";

const ENGINES_MS = 3000;

type Here = NonNullable<Model["installed"]>;

/** The models of this machine with what their engines do. */
export function Installed() {
  const { data, error, refetch } = useQuery(modelsQuery);
  const { data: engines } = useQuery({ ...enginesQuery, refetchInterval: ENGINES_MS });
  const [removed, setRemoved] = useState<string | null>(null);
  const [shown, setShown] = useState<string | null>(null);
  const queries = useQueryClient();
  const removing = useMutation({
    mutationFn: removeModel,
    onSuccess: (_, name) => {
      toast(`The model ${name} was removed`);
      void queries.invalidateQueries();
    },
  });
  const here = data?.models.flatMap(({ installed }) => installed ?? []) ?? [];
  return (
    <Section title="Installed">
      {error && <ErrorState error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeleton lines={4} />}
      {data && !here.length && (
        <EmptyState icon={<Box />} title="No models yet">
          Take one of those below that fit this machine, or write the name of any other above.
        </EmptyState>
      )}
      {data?.damaged.map((one) => (
        <div key={one.name} className={styles.damaged}>
          <ErrorState error={new Error(`${one.name} cannot be used: ${one.error}`)} />
          <Button size="s" icon={<Trash2 />} onClick={() => setRemoved(one.name)}>
            Remove {one.name}
          </Button>
        </div>
      ))}
      {here.length > 0 && (
        <ul className={styles.list}>
          {here.map((one) => (
            <li key={one.name}>
              <ModelRow
                model={one}
                engine={engines?.find((engine) => engine.name === one.name)}
                onDetails={() => setShown(one.name)}
                onRemove={() => setRemoved(one.name)}
              />
            </li>
          ))}
        </ul>
      )}
      <Details name={shown} onClose={() => setShown(null)} />
      <Confirm
        isOpen={removed !== null}
        onClose={() => setRemoved(null)}
        onConfirm={() => removed && removing.mutate(removed)}
        title={`Remove ${removed ?? ""}?`}
        description="Its engine is stopped and its files are deleted. To have it back it must be downloaded again."
        deed="Remove"
      />
    </Section>
  );
}

interface ModelRowProps {
  model: Here;
  engine: Engine | undefined;
  onDetails: () => void;
  onRemove: () => void;
}

function ModelRow({ model, engine, onDetails, onRemove }: ModelRowProps) {
  const queries = useQueryClient();
  const changed = {
    onSettled: () => queries.invalidateQueries({ queryKey: enginesQuery.queryKey }),
  };
  const loading = useMutation({ mutationFn: loadModel, meta: { isShown: true }, ...changed });
  const unloading = useMutation({ mutationFn: unloadModel, meta: { isShown: true }, ...changed });
  const verifying = useMutation({ mutationFn: verifyModel, meta: { isShown: true } });
  const isUp = engine !== undefined && engine.state !== "failed" && engine.state !== "stopped";
  const facts = [
    model.size_bytes >= 1000 && formatBytes(model.size_bytes), // a voice is a line of text
    model.parameters && `${plainParameters(model.parameters)} parameters`,
    model.context_tokens && `${formatNumber(model.context_tokens)} tokens of context`,
    model.is_builtin && "comes with Ingle",
  ].filter(Boolean);
  const fault = loading.error ?? unloading.error ?? verifying.error;
  return (
    <article className={styles.row} aria-label={model.name}>
      <div className={styles.what}>
        <h3>
          {model.name}
          <EngineBadge engine={engine} />
          {engine?.is_pinned && <Badge tone="accent">pinned: stays loaded</Badge>}
        </h3>
        <p>{model.capabilities.map(plainCapability).join(", ")}</p>
        <p className={styles.facts}>{facts.join(" · ")}</p>
        {isUp && <p className={styles.facts}>{engineUse(engine)}</p>}
        {engine?.last_error && <p className={styles.bad}>{engine.last_error}</p>}
        {verifying.isPending && <p role="status">Comparing the files…</p>}
        {verifying.data && (
          <p role="status" className={verifying.data.faults.length ? styles.bad : styles.good}>
            {verifying.data.faults.join(" ") || VERDICTS[verifying.data.compared]}
          </p>
        )}
        {fault && <ErrorState error={fault} />}
      </div>
      <div className={styles.deeds}>
        {isUp ? (
          <Button
            size="s"
            icon={<Power />}
            isBusy={unloading.isPending}
            onClick={() => unloading.mutate(model.name)}
          >
            Unload<span className="visually-hidden"> {model.name}</span>
          </Button>
        ) : (
          <Button
            size="s"
            icon={<Power />}
            isBusy={loading.isPending}
            onClick={() => loading.mutate(model.name)}
          >
            Load<span className="visually-hidden"> {model.name}</span>
          </Button>
        )}
        <Menu
          trigger={
            <IconButton label={`More about ${model.name}`} icon={<EllipsisVertical />} size="s" />
          }
          items={[
            { label: "Details and log", icon: <Info />, onPick: onDetails },
            {
              label: "Verify its files",
              icon: <ShieldCheck />,
              onPick: () => verifying.mutate(model.name),
            },
            {
              label: model.is_builtin ? "Remove (it is a part of Ingle)" : "Remove",
              icon: <Trash2 />,
              isDangerous: !model.is_builtin,
              isOff: model.is_builtin,
              onPick: onRemove,
            },
          ]}
        />
      </div>
    </article>
  );
}

const VERDICTS = {
  sha256: "Every byte is as it was downloaded.",
  header: "The file is as long as it says it is.",
  files: "All its parts are there.",
};

function EngineBadge({ engine }: { engine: Engine | undefined }) {
  if (!engine || engine.state === "stopped") return null;
  if (engine.state === "failed") return <Badge tone="bad">failed</Badge>;
  if (engine.state === "ready") return <Badge tone="good">loaded</Badge>;
  return <Badge tone="warn">{engine.state}</Badge>;
}

/** What an engine takes, and of what it has. */
function engineUse(engine: Engine): string {
  const parts = [];
  if (engine.memory_bytes) parts.push(`${formatBytes(engine.memory_bytes)} of memory now`);
  if (engine.context_tokens) {
    const used = engine.context_used_tokens;
    parts.push(
      used === null || used === undefined
        ? `${formatNumber(engine.context_tokens)} tokens of context a call`
        : `${formatNumber(used)} tokens kept, ${formatNumber(engine.context_tokens)} fit in a call`,
    );
  }
  if (engine.leases) parts.push(`${engine.leases} ${engine.leases === 1 ? "call" : "calls"} now`);
  if (engine.tokens_s) parts.push(`${formatNumber(engine.tokens_s)} tokens/s`);
  return parts.join(" · ");
}
