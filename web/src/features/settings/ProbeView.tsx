import { CircleAlert, CircleCheck } from "lucide-react";
import { useState } from "react";

import type { ProbeResult } from "@/api/connections";
import { cx } from "@/lib/cx";

import styles from "./Settings.module.css";

const SHOWN = 12;

/** What a test of a server found: the URL that is called, the models, and what was tried. */
export function ProbeView({ result }: { result: ProbeResult }) {
  const { is_reachable, base_url, models, tried, note, error } = result;
  const [isWhole, setWhole] = useState(false);
  // A server that refuses the key is there, and lists nothing.
  const isFine = is_reachable && models.length > 0;
  const shown = isWhole ? models : models.slice(0, SHOWN);
  return (
    <div
      className={cx(styles.probe, isFine ? styles.good : is_reachable ? styles.warn : styles.bad)}
      role="status"
    >
      {isFine ? <CircleCheck aria-hidden /> : <CircleAlert aria-hidden />}
      <div className={styles.stack}>
        <p>
          {isFine ? "It answers." : is_reachable ? "It answers, but lists no models." : error}{" "}
          Called: <code>{base_url}</code>
        </p>
        {note && <p>{note}</p>}
        {isFine && (
          <div>
            <p>{models.length === 1 ? "1 model:" : `${models.length} models:`}</p>
            <ul className={styles.chips}>
              {shown.map((model) => (
                <li key={model}>
                  <code>{model}</code>
                </li>
              ))}
              {models.length > shown.length && (
                <li>
                  <button type="button" onClick={() => setWhole(true)}>
                    and {models.length - shown.length} more
                  </button>
                </li>
              )}
            </ul>
          </div>
        )}
        <details>
          <summary>What was tried</summary>
          <ul className={styles.tried}>
            {tried.map((one) => (
              <li key={one.url}>
                <code>{one.url}</code> {one.outcome}
              </li>
            ))}
          </ul>
        </details>
      </div>
    </div>
  );
}
