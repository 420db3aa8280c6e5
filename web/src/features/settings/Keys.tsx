import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";

import { type Key, keysQuery, revokeKey } from "@/api/keys";
import { sessionQuery } from "@/api/session";
import { formatAge, formatNumber } from "@/lib/format";
import { Badge } from "@/ui/Badge";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Section } from "@/ui/Page";
import { EmptyState, ErrorState, Skeleton } from "@/ui/states";
import { Table } from "@/ui/Table";
import { toast } from "@/ui/Toasts";

import { KeyForm } from "./KeyForm";
import styles from "./Settings.module.css";

/** The keys that callers of this Ingle send, what was used with them, and new ones. */
export function Keys() {
  const { data, error, refetch } = useQuery(keysQuery);
  const { data: session } = useQuery(sessionQuery);
  const [isMaking, setMaking] = useState(false);
  const [revoked, setRevoked] = useState<Key | null>(null);
  const queries = useQueryClient();
  const revoking = useMutation({
    mutationFn: revokeKey,
    onSuccess: (key) => {
      toast(`The key ${key.name} was revoked`);
      void queries.invalidateQueries({ queryKey: keysQuery.queryKey });
    },
  });
  const make = (
    <Button kind="primary" icon={<Plus />} onClick={() => setMaking(true)}>
      Make a key
    </Button>
  );
  const intro = session?.needs_key
    ? "Every program that calls this Ingle sends one."
    : "Only this machine reaches this Ingle, so no key is asked for. A key with limits still holds to them.";
  return (
    <Section title="API keys" intro={intro} actions={data?.length ? make : undefined}>
      {error && <ErrorState error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeleton lines={3} />}
      {data?.length === 0 && (
        <EmptyState icon={<KeyRound />} title="No keys" actions={make}>
          Make one for each program or person: it can be limited, counted and revoked by itself.
        </EmptyState>
      )}
      {data && data.length > 0 && (
        <Table
          label="API keys"
          rows={data}
          keyOf={(key) => key.id}
          columns={[
            { head: "Name", cell: (key) => <KeyName apiKey={key} /> },
            { head: "Limits", cell: limitsOf },
            {
              head: "Last used",
              cell: (key) => (key.last_used_at ? formatAge(key.last_used_at) : "never"),
            },
            {
              head: "Tokens",
              isNumber: true,
              cell: ({ usage }) => formatNumber(usage.prompt_tokens + usage.completion_tokens),
            },
            {
              head: "State",
              cell: (key) =>
                key.revoked_at ? (
                  <Badge>revoked</Badge>
                ) : (
                  <Button
                    size="s"
                    aria-label={`Revoke ${key.name}`}
                    onClick={() => setRevoked(key)}
                  >
                    Revoke
                  </Button>
                ),
            },
          ]}
        />
      )}
      <KeyForm isOpen={isMaking} onClose={() => setMaking(false)} />
      <Confirm
        isOpen={revoked !== null}
        onClose={() => setRevoked(null)}
        onConfirm={() => revoked && revoking.mutate(revoked.id)}
        title={`Revoke ${revoked?.name ?? ""}?`}
        description="Programs that use it are refused from now on. A revoked key cannot be brought back."
        deed="Revoke"
      />
    </Section>
  );
}

function KeyName({ apiKey }: { apiKey: Key }) {
  return (
    <div className={styles.keyName}>
      <span>{apiKey.name}</span>
      <code>{apiKey.prefix}…</code>
    </div>
  );
}

function limitsOf(key: Key): string {
  const limits = [
    key.allowed_models && `only ${key.allowed_models.join(", ")}`,
    key.requests_per_minute && `${formatNumber(key.requests_per_minute)} requests/min`,
    key.tokens_per_minute && `${formatNumber(key.tokens_per_minute)} tokens/min`,
    key.expires_at && `until ${new Date(key.expires_at).toLocaleDateString()}`,
  ];
  return limits.filter(Boolean).join(" · ") || "none";
}
