import { Brush } from "lucide-react";
import { Link } from "wouter";

import type { Problem } from "@/lib/problem";
import { CodeView } from "@/ui/CodeView";
import { Card } from "@/ui/Page";

import styles from "./Images.module.css";

/** What to do where nothing can draw yet, and the server's own words about it. */
export function Missing({ problem }: { problem: Problem }) {
  return (
    <Card className={styles.missing}>
      <h2>
        <Brush aria-hidden /> Ingle needs one more part to draw
      </h2>
      <p>
        Install it and start Ingle again. It brings a small demo model, and runs other image models
        that you <Link href="/models">install</Link>.
      </p>
      <CodeView code="pip install 'ingle[images]'" language="bash" title="In a terminal" />
      <p>
        Or <Link href="/settings/connections">connect a server</Link> that draws.
      </p>
      <p className={styles.quiet} role="alert">
        The server says: {problem.message}
      </p>
    </Card>
  );
}
