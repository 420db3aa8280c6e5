import { useQuery } from "@tanstack/react-query";
import { History, MessageCircleOff, PanelRight, SquarePen } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { Link, useLocation, useParams } from "wouter";

import { modelsQuery } from "@/api/models";
import { type Command, useCommands } from "@/lib/commands";
import { NARROW, PHONE, useMedia } from "@/lib/media";
import { useShortcut } from "@/lib/shortcuts";
import { useSignal } from "@/lib/signal";
import { IconButton } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { EmptyState, Skeleton } from "@/ui/states";

import { type Beginning, chat, type Said } from "./chat";
import styles from "./Chat.module.css";
import { Composer } from "./Composer";
import { HistoryList } from "./HistoryList";
import { Messages } from "./Messages";
import { ModelPicker } from "./ModelPicker";
import { Options } from "./Options";
import { shownBranch, type Thread } from "./tree";
import { rememberModel, useChatModels } from "./useChatModels";
import { Welcome } from "./Welcome";

/** The chat: history, what was said, and what the next answer is asked with. */
export default function ChatScreen() {
  const { id } = useParams<{ id?: string }>();
  const [, navigate] = useLocation();
  const isPhone = useMedia(PHONE);
  const isNarrow = useMedia(NARROW);
  const [isHistory, setHistory] = useState(false);
  const [isOptions, setOptions] = useState(false);
  const commands = useMemo(
    (): Command[] => [
      {
        id: "new-chat",
        label: "New chat",
        group: "Chat",
        icon: <SquarePen />,
        shortcut: "mod+shift+o",
        run: () => navigate("/"),
      },
      {
        id: "chat-options",
        label: "Model and parameters",
        group: "Chat",
        icon: <PanelRight />,
        shortcut: "mod+.",
        run: () => setOptions((isOpen) => !isOpen),
      },
    ],
    [navigate],
  );
  useCommands(commands);
  useShortcut("mod+shift+o", () => navigate("/"));
  useShortcut("mod+.", () => setOptions(!isOptions));

  const history = (
    <HistoryList
      openId={id ?? null}
      onOpen={(opened) => {
        setHistory(false);
        navigate(opened ? `/chat/${opened}` : "/");
      }}
    />
  );
  const bar = (model: string | null, onPick: (model: string) => void) => (
    <header className={styles.bar}>
      {isPhone && (
        <IconButton label="History" icon={<History />} onClick={() => setHistory(true)} />
      )}
      <ModelPicker value={model} onPick={onPick} />
      <span className={styles.space} />
      {id && (
        <IconButton
          label="New chat"
          shortcut="mod+shift+o"
          icon={<SquarePen />}
          onClick={() => navigate("/")}
        />
      )}
      <IconButton
        label="Model and parameters"
        shortcut="mod+."
        icon={<PanelRight />}
        aria-pressed={isOptions}
        onClick={() => setOptions(!isOptions)}
      />
    </header>
  );
  const aside = (beginning: Beginning, onChange: (changed: Partial<Beginning>) => void) =>
    isNarrow ? (
      <Dialog
        isOpen={isOptions}
        onClose={() => setOptions(false)}
        title="Model and parameters"
        shape="drawer-right"
      >
        <Options value={beginning} onChange={onChange} />
      </Dialog>
    ) : (
      isOptions && (
        <aside className={styles.options} aria-label="Model and parameters">
          <h2>Model and parameters</h2>
          <Options value={beginning} onChange={onChange} />
        </aside>
      )
    );
  const parts = { bar, aside };
  return (
    <div className={styles.screen}>
      {isPhone ? (
        <Dialog
          isOpen={isHistory}
          onClose={() => setHistory(false)}
          title="Chats"
          shape="drawer-left"
        >
          {history}
        </Dialog>
      ) : (
        <div className={styles.history}>{history}</div>
      )}
      {id ? (
        <Conversation key={id} id={id} {...parts} />
      ) : (
        <NewChat onBegin={(begun) => navigate(`/chat/${begun}`)} {...parts} />
      )}
    </div>
  );
}

interface Parts {
  bar: (model: string | null, onPick: (model: string) => void) => React.ReactNode;
  aside: (beginning: Beginning, onChange: (changed: Partial<Beginning>) => void) => React.ReactNode;
}

function NewChat({ bar, aside, onBegin }: Parts & { onBegin: (id: string) => void }) {
  const { model, error, isPending, retry } = useChatModels();
  const [changed, setChanged] = useState<Partial<Beginning>>({});
  const beginning: Beginning = { model, system: "", parameters: {}, ...changed };
  const change = (part: Partial<Beginning>) => {
    if (part.model) rememberModel(part.model);
    setChanged((before) => ({ ...before, ...part }));
  };
  const begin = (said: Said) => onBegin(chat.begin(said, beginning));
  return (
    <>
      <section className={styles.talk} aria-label="New chat">
        {bar(beginning.model, (picked) => change({ model: picked }))}
        <Welcome
          model={beginning.model}
          modelsError={error}
          onRetry={retry}
          onAsk={(text) => begin({ text, images: [] })}
          onPick={(picked) => change({ model: picked })}
          composer={
            <Composer
              model={beginning.model}
              isOff={isPending || beginning.model === null}
              isWriting={false}
              onSend={begin}
            />
          }
        />
      </section>
      {aside(beginning, change)}
    </>
  );
}

function Conversation({ id, bar, aside }: Parts & { id: string }) {
  const thread = useSignal(chat.thread(id));
  const branch = useMemo(() => (thread ? shownBranch(thread) : []), [thread]);
  useContinued(thread);
  useShortcut("escape", () => chat.stop(id));
  if (thread === undefined) {
    return (
      <section className={styles.talk} aria-label="Chat">
        <div className={styles.loading}>
          <Skeleton lines={6} />
        </div>
      </section>
    );
  }
  if (thread === null) {
    return (
      <section className={styles.talk} aria-label="Chat">
        <EmptyState
          icon={<MessageCircleOff />}
          title="This chat is not here"
          actions={<Link href="/">Begin a new one</Link>}
        >
          It was deleted, or it is kept in another browser.
        </EmptyState>
      </section>
    );
  }
  const { conversation } = thread;
  const change = (changed: Partial<Beginning>) => {
    if (changed.model) rememberModel(changed.model);
    chat.change(id, changed);
  };
  const last = branch.at(-1)?.message;
  return (
    <>
      <section className={styles.talk} aria-label={conversation.title}>
        {bar(conversation.model, (model) => change({ model }))}
        <Messages branch={branch} />
        <div className={styles.foot}>
          <Composer
            model={conversation.model}
            isOff={conversation.model === null}
            isWriting={branch.some(({ message }) => message.state === "writing")}
            onStop={() => chat.stop(id)}
            onSend={(said) => chat.send(id, said, last?.id ?? null)}
          />
        </div>
      </section>
      {aside(conversation, change)}
    </>
  );
}

/** Let a model of this machine go on with an answer that was cut when the page was closed. */
function useContinued(thread: Thread | null | undefined) {
  const { data } = useQuery(modelsQuery);
  useEffect(() => {
    if (!thread || !data) return;
    for (const message of thread.messages.values()) {
      const model = data.models.find((one) => one.id === message.model);
      const isOurs = model?.installed?.engine === "llama";
      if (message.state === "cut" && isOurs) chat.continue(message);
    }
  }, [thread, data]);
}
