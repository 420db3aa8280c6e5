import { memo, type ReactNode, useEffect, useState } from "react";

import { Signal, useSignal } from "@/lib/signal";

import styles from "./CodeView.module.css";
import { CopyButton } from "./CopyButton";

type Highlight = (code: string, language: string) => ReactNode;

// The highlighter is loaded with the first code that is shown, once.
const loaded = new Signal<Highlight | null>(null);
let isLoading = false;

function load() {
  if (isLoading) return;
  isLoading = true;
  import("./highlight").then(
    (module) => loaded.set(module.highlighted),
    () => (isLoading = false), // it stays plain, and the next code tries again
  );
}

interface CodeViewProps {
  code: string;
  language?: string;
  /** Shown instead of the language, such as a file's name. */
  title?: string;
  /** Lines beyond this height scroll. */
  isTall?: boolean;
}

/** Code to read and to copy. Long lines scroll; nothing moves when its colours come. */
export const CodeView = memo(function CodeView({
  code,
  language = "",
  title,
  isTall,
}: CodeViewProps) {
  const highlight = useSignal(loaded);
  const isPlain = !language || code.length > 60_000;
  const [isWrapped, setWrapped] = useState(false);
  useEffect(() => {
    if (!isPlain) load();
  }, [isPlain]);
  return (
    <figure className={styles.code}>
      <figcaption className={styles.head}>
        <span>{title ?? (language || "text")}</span>
        <button
          type="button"
          className={styles.wrap}
          aria-pressed={isWrapped}
          onClick={() => setWrapped(!isWrapped)}
        >
          Wrap
        </button>
        <CopyButton text={code} label="Copy code" />
      </figcaption>
      <pre
        tabIndex={0}
        aria-label={title ?? `${language || "plain"} code`}
        data-wrapped={isWrapped || undefined}
        data-tall={isTall || undefined}
      >
        <code>{highlight && !isPlain ? highlight(code, language) : code}</code>
      </pre>
    </figure>
  );
});
