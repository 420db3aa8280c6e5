import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { type Model, modelsQuery } from "@/api/models";
import { Mark } from "@/ui/Mark";
import { ErrorState } from "@/ui/states";

import { Suggestions } from "./Suggestions";
import styles from "./Welcome.module.css";

/** What the demo knows to answer, so that the first click is a good one. */
const TRIES = ["What is Ingle?", "How do I install a model?", "What can you do?"];

interface WelcomeProps {
  model: string | null;
  modelsError: unknown;
  onRetry: () => void;
  onAsk: (text: string) => void;
  onPick: (model: string) => void;
  composer: ReactNode;
}

/** An empty chat: one sentence, one box, and, while there is only the demo, models that fit. */
export function Welcome({ model, modelsError, onRetry, onAsk, onPick, composer }: WelcomeProps) {
  const { data } = useQuery(modelsQuery);
  const chosen = data?.models.find((one) => one.id === model);
  const isDemo = chosen?.installed?.is_builtin ?? false;
  return (
    <div className={styles.scroller}>
      <div className={styles.welcome}>
        <div className={styles.greeting}>
          <Mark size={48} />
          <h1>What’s on your mind?</h1>
          <p>{sentence(chosen)}</p>
        </div>
        {modelsError ? <ErrorState error={modelsError} onRetry={onRetry} /> : null}
        {composer}
        {isDemo && (
          <>
            <ul className={styles.tries}>
              {TRIES.map((text) => (
                <li key={text}>
                  <button type="button" onClick={() => onAsk(text)}>
                    {text}
                  </button>
                </li>
              ))}
            </ul>
            <p className={styles.demo}>
              <strong>demo</strong> is a tiny model that comes with Ingle: it answers at once, and
              knows little but Ingle itself. For real work, install one of these.
            </p>
            <Suggestions onPick={onPick} />
          </>
        )}
      </div>
    </div>
  );
}

/** Who answers, and so who reads what is written. */
function sentence(model: Model | undefined): string {
  if (!model) return "Ask a model of this machine, or of a server that you connected.";
  if (model.owned_by === "local") return "Your own machine answers. Nothing you write leaves it.";
  return `The server “${model.owned_by}” answers: what you write is sent there.`;
}
