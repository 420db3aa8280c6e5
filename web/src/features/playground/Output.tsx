import { Play } from "lucide-react";
import { useState } from "react";

import { formatDuration } from "@/lib/format";
import type { Problem } from "@/lib/problem";
import { CodeView } from "@/ui/CodeView";
import { Segments } from "@/ui/Segments";
import { EmptyState, ErrorState } from "@/ui/states";

import { asCurl, asJavaScript, asPython, type Call } from "./calls";
import styles from "./Playground.module.css";
import { picturesOf, textOf } from "./run";

/** What a run has given so far. */
export interface Result {
  text: string;
  /** Undefined until it has ended. */
  output: unknown;
  seconds: number | null;
  problem: Problem | null;
}

const VIEWS = [
  { value: "output", label: "Output" },
  { value: "raw", label: "Raw" },
  { value: "code", label: "Code" },
] as const;
type View = (typeof VIEWS)[number]["value"];

/** The output as people read it, as it came, and the call that gave it as code. */
export function Output({ result, call }: { result: Result | null; call: Call }) {
  const [view, setView] = useState<View>("output");
  return (
    <>
      <Segments label="How to show it" value={view} onPick={setView} options={VIEWS} />
      {view === "code" && (
        <>
          <CodeView code={asPython(call)} language="python" title="Python" />
          <CodeView code={asCurl(call)} language="bash" title="curl" />
          <CodeView code={asJavaScript(call)} language="javascript" title="JavaScript" />
          <p className={styles.quiet}>
            Away from this machine, send a key along: <code>Authorization: Bearer ik-…</code>
          </p>
        </>
      )}
      {view !== "code" && !result && (
        <EmptyState icon={<Play />} title="Nothing has run yet">
          Fill in the input and press Run.
        </EmptyState>
      )}
      {view !== "code" && result?.problem && <ErrorState error={result.problem} />}
      {view === "output" && result && <Readable result={result} />}
      {view === "raw" && result?.output !== undefined && (
        <CodeView code={JSON.stringify(result.output, null, 2)} language="json" />
      )}
      {view !== "code" && result?.seconds != null && (
        <p className={styles.quiet} role="status">
          Took {formatDuration(result.seconds)}
        </p>
      )}
    </>
  );
}

function Readable({ result }: { result: Result }) {
  const text = textOf(result.output) ?? result.text;
  const pictures = picturesOf(result.output);
  if (pictures.length) {
    return pictures.map((one, index) => (
      <img key={index} className={styles.made} src={one} alt={`Picture ${index + 1}`} />
    ));
  }
  if (text) {
    return (
      <div className={styles.text} aria-label="Output" role="region">
        {text}
      </div>
    );
  }
  if (result.output === undefined) return null;
  return <CodeView code={JSON.stringify(result.output, null, 2)} language="json" />;
}
