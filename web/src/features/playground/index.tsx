import { useQuery } from "@tanstack/react-query";
import { Play, Square } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useLocation, useParams } from "wouter";

import { modelsQuery } from "@/api/models";
import { asProblem, isAbort } from "@/lib/problem";
import { useShortcut } from "@/lib/shortcuts";
import { Button } from "@/ui/Button";
import { Card, Page } from "@/ui/Page";
import { Picker } from "@/ui/Picker";
import { Segments } from "@/ui/Segments";
import { ErrorState, Skeleton } from "@/ui/states";

import type { Call } from "./calls";
import { JsonBox } from "./JsonBox";
import { Output, type Result } from "./Output";
import styles from "./Playground.module.css";
import { type Processor, processorQuery, processorsQuery, run } from "./run";
import type { JsonSchema, Values } from "./schema";
import { SchemaForm } from "./SchemaForm";

const FIRST_SLUG = "localai/chatgpt";
const FIRST_OF_CONFIG = ["model", "temperature", "max_tokens", "size", "voice", "language"];
const NOT_FIRST_OF_INPUT = ["chat_history", "functions", "tools"];

/** One processor, run by hand: what goes in, how, and what comes out. */
export default function PlaygroundScreen() {
  const { provider, processor } = useParams<{ provider?: string; processor?: string }>();
  const slug = provider && processor ? `${provider}/${processor}` : FIRST_SLUG;
  const [, navigate] = useLocation();
  const all = useQuery(processorsQuery);
  const one = useQuery(processorQuery(slug));
  const error = all.error ?? one.error;
  return (
    <Page
      title="Playground"
      intro={one.data?.description ?? "Run one processor by hand."}
      width="wide"
      actions={
        <Picker
          label="Processor"
          value={slug}
          placeholder="Choose a processor"
          onPick={(picked) => navigate(`/playground/${picked}`)}
          options={(all.data ?? []).map(({ slug, name }) => ({
            value: slug,
            label: name,
            group: slug.split("/")[0] ?? "",
          }))}
        />
      }
    >
      {error && <ErrorState error={error} onRetry={() => void one.refetch()} />}
      {!one.data && !error && <Skeleton lines={8} />}
      {one.data && <Bench key={slug} processor={one.data} />}
    </Page>
  );
}

const WAYS = [
  { value: "form", label: "Form" },
  { value: "json", label: "JSON" },
] as const;

/** The three columns of one processor. */
function Bench({ processor }: { processor: Processor }) {
  const inputSchema = processor.input as JsonSchema;
  const [input, setInput] = useState<Values>(() => begun(inputSchema));
  const [config, setConfig] = useState<Values>({});
  const [isStreaming, setStreaming] = useState(true);
  const [way, setWay] = useState<"form" | "json">("form");
  const [result, setResult] = useState<Result | null>(null);
  const [isRunning, setRunning] = useState(false);
  const running = useRef<AbortController | null>(null);
  const { data: models } = useQuery(modelsQuery);
  useEffect(() => () => running.current?.abort(), []);

  const body = { input, config, ...(isStreaming && { stream: true }) };
  const call: Call = { slug: processor.slug, origin: location.origin, body };
  const problem = result?.problem ?? null;

  const begin = async () => {
    const stop = new AbortController();
    running.current = stop;
    const began = performance.now();
    setRunning(true);
    setResult({ text: "", output: undefined, seconds: null, problem: null });
    const change = (changed: Partial<Result>) => setResult((now) => now && { ...now, ...changed });
    try {
      for await (const event of run(call, stop.signal)) {
        if (event.kind === "output") change({ output: event.output });
        else setResult((now) => now && { ...now, text: now.text + event.text });
      }
    } catch (error) {
      if (!isAbort(error)) change({ problem: asProblem(error) });
    }
    change({ seconds: (performance.now() - began) / 1000 });
    setRunning(false);
  };
  useShortcut("mod+enter", () => void begin(), !isRunning);

  return (
    <>
      <datalist id="models">
        {models?.models.map(({ id }) => (
          <option key={id} value={id} />
        ))}
      </datalist>
      <div className={styles.columns}>
        <Card className={styles.column}>
          <header>
            <h2>Input</h2>
            <Segments label="How to fill it in" value={way} onPick={setWay} options={WAYS} />
          </header>
          {way === "form" ? (
            <SchemaForm
              schema={inputSchema}
              values={input}
              onChange={setInput}
              first={firstOfInput(inputSchema)}
              problem={problem}
              place="input"
            />
          ) : (
            <JsonBox
              label="Input as JSON"
              value={input}
              isTall
              onChange={(value) => setInput((value ?? {}) as Values)}
            />
          )}
        </Card>
        <Card className={styles.column}>
          <header>
            <h2>Configuration</h2>
          </header>
          {way === "form" ? (
            <SchemaForm
              schema={processor.configuration}
              values={config}
              onChange={setConfig}
              first={FIRST_OF_CONFIG}
              problem={problem}
              place="config"
            />
          ) : (
            <JsonBox
              label="Configuration as JSON"
              value={config}
              isTall
              onChange={(value) => setConfig((value ?? {}) as Values)}
            />
          )}
        </Card>
        <Card className={styles.column}>
          <header>
            <h2>Output</h2>
            <label className={styles.check}>
              <input
                type="checkbox"
                checked={isStreaming}
                onChange={(event) => setStreaming(event.target.checked)}
              />
              Stream the output
            </label>
            {isRunning ? (
              <Button key="stop" icon={<Square />} onClick={() => running.current?.abort()}>
                Stop
              </Button>
            ) : (
              <Button key="run" kind="primary" icon={<Play />} onClick={() => void begin()}>
                Run
              </Button>
            )}
          </header>
          <Output result={result} call={call} />
        </Card>
      </div>
    </>
  );
}

function firstOfInput(schema: JsonSchema): string[] {
  return Object.keys(schema.properties ?? {}).filter((name) => !NOT_FIRST_OF_INPUT.includes(name));
}

/** Where a chat begins: with a message to write. */
function begun(schema: JsonSchema): Values {
  return schema.properties?.["messages"] ? { messages: [{ role: "user", content: "" }] } : {};
}
