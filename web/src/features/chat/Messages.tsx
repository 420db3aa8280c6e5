import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown } from "lucide-react";
import { useEffect, useLayoutEffect, useRef, useState } from "react";

import { IconButton } from "@/ui/Button";

import styles from "./Messages.module.css";
import { MessageView } from "./MessageView";
import type { Shown } from "./tree";

const NEAR_END_PX = 80;

/**
 * What was said, from the beginning to the end of a branch; only what is in sight is in the page.
 *
 * It stays at the end while an answer grows, until the reader scrolls up; then nothing moves.
 */
export function Messages({ branch }: { branch: readonly Shown[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const [isAway, setAway] = useState(false);
  const [heard, setHeard] = useState<string | null>(null);
  const rows = useVirtualizer({
    count: branch.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (branch[index]!.message.role === "user" ? 90 : 220),
    getItemKey: (index) => branch[index]!.message.id,
    overscan: 4,
  });
  const height = rows.getTotalSize();
  const toEnd = () => scroller.current?.scrollTo({ top: scroller.current.scrollHeight });

  // Who has just sent something wants to see it.
  const last = branch.at(-1)?.message;
  const asked = last?.state === "writing" ? last.id : null;
  if (asked && asked !== heard) setHeard(asked); // screen readers say it when it is whole
  useEffect(() => {
    if (asked) isAtEnd.current = true;
  }, [asked]);
  useLayoutEffect(() => {
    if (isAtEnd.current) toEnd();
  }, [height, branch.length]);

  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = scroller.current!;
    const left = scrollHeight - scrollTop - clientHeight;
    isAtEnd.current = left < NEAR_END_PX;
    setAway(left > clientHeight / 2);
  };
  return (
    <div className={styles.frame}>
      <div
        ref={scroller}
        className={styles.scroller}
        onScroll={onScroll}
        tabIndex={0}
        role="log"
        aria-label="Conversation"
        aria-live="off"
      >
        <div className={styles.messages} style={{ height }}>
          {rows.getVirtualItems().map((row) => (
            <div
              key={row.key}
              ref={rows.measureElement}
              data-index={row.index}
              className={styles.row}
              style={{ transform: `translateY(${row.start}px)` }}
            >
              <MessageView shown={branch[row.index]!} isLast={row.index === branch.length - 1} />
            </div>
          ))}
        </div>
      </div>
      {isAway && (
        <IconButton
          className={styles.down}
          kind="plain"
          label="To the end"
          icon={<ArrowDown />}
          onClick={() => {
            isAtEnd.current = true;
            toEnd();
          }}
        />
      )}
      <p className="visually-hidden" role="status">
        {asked ? "Answering" : last && last.id === heard && last.text}
      </p>
    </div>
  );
}
