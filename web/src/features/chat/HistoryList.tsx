import { EllipsisVertical, Pencil, Search, SquarePen, Trash2 } from "lucide-react";
import { type SyntheticEvent, useEffect, useState } from "react";

import { cx } from "@/lib/cx";
import { useSignal } from "@/lib/signal";
import { Button, IconButton } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field, TextInput } from "@/ui/Field";
import { Menu } from "@/ui/Menu";
import { Skeleton } from "@/ui/states";
import { toast, toastProblem } from "@/ui/Toasts";
import { VirtualList } from "@/ui/VirtualList";

import { chat } from "./chat";
import styles from "./HistoryList.module.css";
import type { Conversation } from "./tree";

interface HistoryListProps {
  openId: string | null;
  /** Null for a new chat. */
  onOpen: (id: string | null) => void;
}

type Row = { key: string; heading: string } | { key: string; conversation: Conversation };

/** All conversations by day, the newest first, and a search over what was said in them. */
export function HistoryList({ openId, onOpen }: HistoryListProps) {
  const conversations = useSignal(chat.conversations);
  const [text, setText] = useState("");
  const found = useFound(text);
  const [renamed, setRenamed] = useState<Conversation | null>(null);
  const shown = conversations?.filter((one) => !found || found.has(one.id));

  const remove = (one: Conversation) => {
    if (one.id === openId) onOpen(null);
    chat.remove(one.id).then((undo) => toast(`“${one.title}” was deleted`, undo), toastProblem);
  };
  return (
    <div className={styles.history}>
      <div className={styles.head}>
        <Button icon={<SquarePen />} onClick={() => onOpen(null)}>
          New chat
        </Button>
        <div className={styles.search}>
          <Search aria-hidden />
          <TextInput
            type="search"
            aria-label="Search chats"
            placeholder="Search"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
      </div>
      <div className={styles.list}>
        {!shown && (
          <div className={styles.note}>
            <Skeleton lines={4} />
          </div>
        )}
        {shown?.length === 0 && (
          <p className={styles.note}>
            {text
              ? "No chat has all of these words."
              : "Your chats will be listed here. They stay in this browser."}
          </p>
        )}
        {shown && shown.length > 0 && (
          <VirtualList label="Chats" items={rowsOf(shown)} keyOf={(row) => row.key} rowHeight={38}>
            {(row) =>
              "heading" in row ? (
                <h2 className={styles.day}>{row.heading}</h2>
              ) : (
                <div className={cx(styles.row, row.conversation.id === openId && styles.open)}>
                  <button
                    type="button"
                    className={styles.title}
                    aria-current={row.conversation.id === openId || undefined}
                    onClick={() => onOpen(row.conversation.id)}
                  >
                    {row.conversation.title}
                  </button>
                  <Menu
                    trigger={
                      <IconButton
                        size="s"
                        label={`More about ${row.conversation.title}`}
                        icon={<EllipsisVertical />}
                        className={styles.more}
                      />
                    }
                    items={[
                      {
                        label: "Rename",
                        icon: <Pencil />,
                        onPick: () => setRenamed(row.conversation),
                      },
                      {
                        label: "Delete",
                        icon: <Trash2 />,
                        isDangerous: true,
                        onPick: () => remove(row.conversation),
                      },
                    ]}
                  />
                </div>
              )
            }
          </VirtualList>
        )}
      </div>
      <Rename conversation={renamed} onClose={() => setRenamed(null)} />
    </div>
  );
}

function Rename({
  conversation,
  onClose,
}: {
  conversation: Conversation | null;
  onClose: () => void;
}) {
  const save = (event: SyntheticEvent<HTMLFormElement>) => {
    event.preventDefault();
    const title = new FormData(event.currentTarget).get("title");
    if (conversation && typeof title === "string" && title.trim()) {
      void chat.rename(conversation.id, title.trim());
    }
    onClose();
  };
  return (
    <Dialog isOpen={conversation !== null} onClose={onClose} title="Rename chat">
      <form className={styles.rename} onSubmit={save}>
        <Field label="Title">
          <TextInput name="title" defaultValue={conversation?.title} autoFocus maxLength={200} />
        </Field>
        <Button type="submit" kind="primary">
          Rename
        </Button>
      </form>
    </Dialog>
  );
}

/** The ids of what is found, a moment after the typing rests; null while nothing is searched. */
function useFound(text: string): Set<string> | null {
  const [found, setFound] = useState<Set<string> | null>(null);
  useEffect(() => {
    let isCurrent = true;
    const search = () => {
      if (!text.trim()) {
        setFound(null);
        return;
      }
      chat.search(text).then((ids) => isCurrent && setFound(ids), toastProblem);
    };
    const timer = setTimeout(search, text ? 150 : 0);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [text]);
  return found;
}

function rowsOf(conversations: readonly Conversation[]): Row[] {
  const rows: Row[] = [];
  let day = "";
  for (const conversation of conversations) {
    const heading = dayOf(conversation.updatedAt);
    if (heading !== day) {
      day = heading;
      rows.push({ key: heading, heading });
    }
    rows.push({ key: conversation.id, conversation });
  }
  return rows;
}

function dayOf(time: number): string {
  const today = new Date().setHours(0, 0, 0, 0);
  const days = Math.ceil((today - time) / 86_400_000);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days < 7) return "This week";
  return new Date(time).toLocaleDateString(undefined, { month: "long", year: "numeric" });
}
