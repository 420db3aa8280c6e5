import { formatNumber } from "@/lib/format";
import { Progress } from "@/ui/Progress";

import type { Drawing } from "./draw";
import styles from "./Images.module.css";

/** The picture that is being made, step by step. */
export function Stage({ drawing }: { drawing: Drawing }) {
  const { prompt, step, steps, data } = drawing;
  return (
    <section className={styles.stage} aria-label="Being drawn">
      <div className={styles.frame}>
        {data && <img src={`data:image/png;base64,${data}`} alt={`Unfinished: ${prompt}`} />}
      </div>
      <Progress label="Drawing" value={steps ? step : undefined} max={steps || 1} />
      <p className={styles.quiet} role="status">
        {steps
          ? `Step ${formatNumber(step)} of ${formatNumber(steps)}`
          : "Starting the model; the first picture takes longest…"}
      </p>
    </section>
  );
}
