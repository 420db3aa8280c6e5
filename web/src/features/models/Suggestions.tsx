import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ChevronDown, Download, Search } from "lucide-react";
import { useState } from "react";

import {
  isUnderWay,
  modelsQuery,
  pullsQuery,
  startPull,
  type Suggestion,
  suggestionsQuery,
} from "@/api/models";
import { formatBytes } from "@/lib/format";
import { Badge } from "@/ui/Badge";
import { Button, IconButton } from "@/ui/Button";
import { Menu } from "@/ui/Menu";
import { Section } from "@/ui/Page";
import { Segments } from "@/ui/Segments";
import { EmptyState, ErrorState, Skeleton } from "@/ui/states";

import styles from "./Models.module.css";
import { plainCapability, plainQuant } from "./words";

const TASKS = [
  { value: "all", label: "All" },
  { value: "chat", label: "Chat" },
  { value: "code", label: "Code" },
  { value: "vision", label: "Images" },
  { value: "embeddings", label: "Search" },
] as const;
type Task = (typeof TASKS)[number]["value"];

/** Good open models that fit here, the most capable first, each installed by one click. */
export function Suggestions() {
  const { data, error, refetch } = useQuery(suggestionsQuery);
  const { data: pulls } = useQuery(pullsQuery);
  const { data: models } = useQuery(modelsQuery);
  const [task, setTask] = useState<Task>("all");
  const queries = useQueryClient();
  const starting = useMutation({
    mutationFn: startPull,
    onSuccess: () => queries.invalidateQueries({ queryKey: pullsQuery.queryKey }),
  });

  const shown = data?.suggestions.filter(({ model }) => isFor(model.tasks, task)) ?? [];
  return (
    <Section
      title="Models that fit this machine"
      intro={
        data &&
        `Chosen for the ${formatBytes(data.memory_bytes)} of memory that models may use here, the most capable first.`
      }
      actions={<Segments label="What for" value={task} onPick={setTask} options={TASKS} />}
    >
      {error && <ErrorState error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeleton lines={8} />}
      {data && !shown.length && (
        <EmptyState icon={<Search />} title="None of these fits">
          This machine has too little free memory for the listed ones. A smaller model can be
          installed by its name, at the top of this page.
        </EmptyState>
      )}
      {shown.length > 0 && (
        <ul className={styles.list}>
          {shown.map((one) => (
            <li key={one.model.name}>
              <SuggestionRow
                suggestion={one}
                memoryBytes={data?.memory_bytes ?? 0}
                isInstalled={models?.models.some(({ id }) => id === one.model.name) ?? false}
                isComing={
                  pulls?.some(
                    (pull) =>
                      isUnderWay(pull) &&
                      (pull.source === one.model.name || pull.source.startsWith(one.model.source)),
                  ) ?? false
                }
                onInstall={(source) => starting.mutate(source)}
              />
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function isFor(tasks: readonly string[], task: Task): boolean {
  if (task === "all") return true;
  return tasks.includes(task) || (task === "embeddings" && tasks.includes("rerank"));
}

interface SuggestionRowProps {
  suggestion: Suggestion;
  memoryBytes: number;
  isInstalled: boolean;
  isComing: boolean;
  onInstall: (source: string) => void;
}

function SuggestionRow({
  suggestion,
  memoryBytes,
  isInstalled,
  isComing,
  onInstall,
}: SuggestionRowProps) {
  const { model, quant, size_bytes } = suggestion;
  const sizes = Object.entries(model.gigabytes);
  return (
    <article className={styles.row} aria-label={model.name}>
      <div className={styles.what}>
        <h3>
          {model.name}
          {model.tasks.map((one) => (
            <Badge key={one}>{plainCapability(one)}</Badge>
          ))}
        </h3>
        <p>{model.for}</p>
        <p className={styles.facts}>
          {[
            `${model.parameters} billion parameters`,
            `${quant}: ${plainQuant(quant)}`,
            model.licence,
          ].join(" · ")}
        </p>
      </div>
      <div className={styles.deeds}>
        {isInstalled ? (
          <Badge tone="good">installed</Badge>
        ) : (
          <>
            <Button
              size="s"
              icon={<Download />}
              isBusy={isComing}
              onClick={() => onInstall(model.name)}
            >
              Install
              <span className="visually-hidden">{model.name}</span>
              <span className={styles.size}>{formatBytes(size_bytes)}</span>
            </Button>
            {sizes.length > 1 && (
              <Menu
                trigger={
                  <IconButton
                    label={`Other sizes of ${model.name}`}
                    icon={<ChevronDown />}
                    size="s"
                  />
                }
                items={sizes.map(([name, gigabytes]) => ({
                  label: `${formatBytes(gigabytes * 1e9)}: ${plainQuant(name)} (${name})${gigabytes * 1e9 > memoryBytes ? ", does not fit" : ""}`,
                  isOff: gigabytes * 1e9 > memoryBytes || isComing,
                  onPick: () => onInstall(`${model.source}:${name}`),
                }))}
              />
            )}
          </>
        )}
      </div>
    </article>
  );
}
