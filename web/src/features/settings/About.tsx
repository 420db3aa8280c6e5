import { useMutation, useQuery } from "@tanstack/react-query";

import { sessionQuery, signOut } from "@/api/session";
import { settingsQuery, versionQuery } from "@/api/settings";
import { Button } from "@/ui/Button";
import { CopyButton } from "@/ui/CopyButton";
import { Card, Section } from "@/ui/Page";
import { ErrorState, Skeleton } from "@/ui/states";
import { Table } from "@/ui/Table";

import styles from "./Settings.module.css";

/** Which Ingle this is, where its data lies, how programs call it, and every setting. */
export function About() {
  const { data: settings, error, refetch } = useQuery(settingsQuery);
  const { data: version } = useQuery(versionQuery);
  const { data: session } = useQuery(sessionQuery);
  const leaving = useMutation({ mutationFn: signOut });
  const home = settings?.find((one) => one.name === "home")?.value;
  const facts = [
    { label: "Version", value: version?.version },
    { label: "Base URL for programs", value: `${location.origin}/v1` },
    { label: "Data folder", value: home },
  ];
  return (
    <div className={styles.parts}>
      <Card>
        <dl className={styles.facts}>
          {facts.map(({ label, value }) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>
                {value === undefined ? "…" : <code>{value}</code>}
                {value !== undefined && <CopyButton text={value} label={`Copy: ${label}`} />}
              </dd>
            </div>
          ))}
          {session?.key_name && (
            <div>
              <dt>Signed in with</dt>
              <dd>
                {session.key_name}
                <Button size="s" isBusy={leaving.isPending} onClick={() => leaving.mutate()}>
                  Sign out
                </Button>
              </dd>
            </div>
          )}
        </dl>
      </Card>
      <Section
        title="All settings"
        intro="They are set in config.yaml of the data folder, by environment variables, or on the command line."
      >
        {error && <ErrorState error={error} onRetry={() => void refetch()} />}
        {!settings && !error && <Skeleton lines={8} />}
        {settings && (
          <Table
            label="All settings"
            rows={settings}
            keyOf={(one) => one.name}
            columns={[
              {
                head: "Setting",
                cell: (one) => (
                  <div className={styles.setting}>
                    <code>{one.name}</code>
                    <p>{one.description}</p>
                  </div>
                ),
              },
              {
                head: "Value",
                cell: (one) => (one.value ? <code className={styles.mono}>{one.value}</code> : "–"),
              },
              { head: "From", cell: (one) => one.source },
            ]}
          />
        )}
      </Section>
    </div>
  );
}
