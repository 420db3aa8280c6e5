import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { EllipsisVertical, Pencil, Plug, Plus, Trash2 } from "lucide-react";
import { useState } from "react";

import {
  type Connection,
  connectionsQuery,
  removeConnection,
  testConnection,
} from "@/api/connections";
import { Badge } from "@/ui/Badge";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Menu } from "@/ui/Menu";
import { Card, Section } from "@/ui/Page";
import { EmptyState, ErrorState, Skeleton } from "@/ui/states";
import { toast } from "@/ui/Toasts";

import { ConnectionForm } from "./ConnectionForm";
import { ProbeView } from "./ProbeView";
import styles from "./Settings.module.css";

/** Other servers of the same API: what is called, whether it answers, and which models it has. */
export function Connections() {
  const { data, error, refetch } = useQuery(connectionsQuery);
  const [edited, setEdited] = useState<Connection | "new" | null>(null);
  const [removed, setRemoved] = useState<Connection | null>(null);
  const queries = useQueryClient();
  const removing = useMutation({
    mutationFn: removeConnection,
    onSuccess: (_, name) => {
      toast(`The connection ${name} was removed`);
      void queries.invalidateQueries();
    },
  });
  const add = (
    <Button kind="primary" icon={<Plus />} onClick={() => setEdited("new")}>
      Add a connection
    </Button>
  );
  return (
    <Section
      title="Connections"
      intro="Servers elsewhere that speak OpenAI's API: LocalAI, vLLM, Ollama, a cloud. Their models appear beside your own."
      actions={data?.length ? add : undefined}
    >
      {error && <ErrorState error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeleton lines={3} />}
      {data?.length === 0 && (
        <EmptyState icon={<Plug />} title="No connections" actions={add}>
          Models of this machine need none. Connect another server to use its models here.
        </EmptyState>
      )}
      {data?.map((one) => (
        <ConnectionCard
          key={one.name}
          connection={one}
          onEdit={() => setEdited(one)}
          onRemove={() => setRemoved(one)}
        />
      ))}
      <ConnectionForm edited={edited} onClose={() => setEdited(null)} />
      <Confirm
        isOpen={removed !== null}
        onClose={() => setRemoved(null)}
        onConfirm={() => removed && removing.mutate(removed.name)}
        title={`Remove ${removed?.name ?? ""}?`}
        description="Its key is deleted with it. Apps that use its models will fail until it is back."
        deed="Remove"
      />
    </Section>
  );
}

interface ConnectionCardProps {
  connection: Connection;
  onEdit: () => void;
  onRemove: () => void;
}

function ConnectionCard({ connection, onEdit, onRemove }: ConnectionCardProps) {
  const { name, base_url, masked_key, key_fault, source, health } = connection;
  const queries = useQueryClient();
  const testing = useMutation({
    mutationFn: testConnection,
    meta: { isShown: true },
    onSettled: () => queries.invalidateQueries({ queryKey: connectionsQuery.queryKey }),
  });
  const isOurs = source === "database";
  return (
    <Card className={styles.stack}>
      <div className={styles.row}>
        <div className={styles.what}>
          <h3>
            {name}
            {health.state === "open" && <Badge tone="bad">does not answer</Badge>}
            {!isOurs && <Badge>set by {source}</Badge>}
          </h3>
          <p className={styles.mono}>{base_url}</p>
          <p>
            {masked_key ? (
              <>
                Key <code>{masked_key}</code>
              </>
            ) : (
              "No key"
            )}
          </p>
        </div>
        <Button isBusy={testing.isPending} onClick={() => testing.mutate(name)}>
          Test
        </Button>
        {isOurs && (
          <Menu
            trigger={<IconButton label={`More about ${name}`} icon={<EllipsisVertical />} />}
            items={[
              { label: "Edit", icon: <Pencil />, onPick: onEdit },
              { label: "Remove", icon: <Trash2 />, isDangerous: true, onPick: onRemove },
            ]}
          />
        )}
      </div>
      {key_fault && <ErrorState error={new Error(key_fault)} />}
      {health.state === "open" && health.last_error && !testing.data && (
        <ErrorState error={new Error(health.last_error)} />
      )}
      {testing.error && <ErrorState error={testing.error} />}
      {testing.data && <ProbeView result={testing.data} />}
    </Card>
  );
}
