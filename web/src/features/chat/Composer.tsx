import { useQuery } from "@tanstack/react-query";
import { ArrowUp, ImagePlus, Square, X } from "lucide-react";
import { type ClipboardEvent, type DragEvent, useEffect, useRef, useState } from "react";

import { canSee, modelsQuery } from "@/api/models";
import { readPicture } from "@/lib/pictures";
import { useShortcut } from "@/lib/shortcuts";
import { IconButton } from "@/ui/Button";
import { toastProblem } from "@/ui/Toasts";

import type { Said } from "./chat";
import styles from "./Composer.module.css";

interface ComposerProps {
  model: string | null;
  /** Nothing can be sent now. */
  isOff: boolean;
  isWriting: boolean;
  onSend: (said: Said) => void;
  onStop?: () => void;
}

/** The box to write in. Enter sends, Shift+Enter makes a line; pictures where the model sees them. */
export function Composer({ model, isOff, isWriting, onSend, onStop }: ComposerProps) {
  const [text, setText] = useState("");
  const [images, setImages] = useState<string[]>([]);
  const [isEager, setEager] = useState(false);
  const box = useRef<HTMLTextAreaElement>(null);
  const file = useRef<HTMLInputElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const { data } = useQuery(modelsQuery);
  const known = data?.models.find((one) => one.id === model);
  const sees = known !== undefined && canSee(known);
  const canSend = !isOff && !isWriting && (text.trim() !== "" || images.length > 0);
  useShortcut("/", () => box.current?.focus());

  useEffect(() => {
    if (matchMedia("(hover: hover)").matches) box.current?.focus(); // no keyboard springs up
  }, []);

  const send = () => {
    setEager(isOff);
    if (!canSend) return;
    setText("");
    setImages([]);
    onSend({ text: text.trim(), images });
  };
  // Who sends before the models are known is answered as soon as they are.
  useEffect(() => {
    if (isEager && !isOff) form.current?.requestSubmit();
  }, [isEager, isOff]);
  const add = (files: Iterable<File>) => {
    const pictures = [...files].filter((one) => one.type.startsWith("image/"));
    if (!sees || !pictures.length) return false;
    Promise.all(pictures.map(readPicture)).then(
      (read) => setImages((before) => [...before, ...read]),
      toastProblem,
    );
    return true;
  };
  const onPaste = (event: ClipboardEvent) => {
    if (add(event.clipboardData.files)) event.preventDefault();
  };
  const onDrop = (event: DragEvent) => {
    if (add(event.dataTransfer.files)) event.preventDefault();
  };
  return (
    <form
      ref={form}
      className={styles.composer}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      onDragOver={(event) => sees && event.preventDefault()}
      onDrop={onDrop}
    >
      {images.length > 0 && (
        <ul className={styles.images}>
          {images.map((image, index) => (
            <li key={image}>
              <img src={image} alt={`Picture ${index + 1}`} />
              <IconButton
                size="s"
                kind="plain"
                label={`Remove picture ${index + 1}`}
                icon={<X />}
                onClick={() => setImages(images.filter((_, other) => other !== index))}
              />
            </li>
          ))}
        </ul>
      )}
      <div className={styles.line}>
        {sees && (
          <>
            <IconButton
              label="Add a picture"
              icon={<ImagePlus />}
              onClick={() => file.current?.click()}
            />
            <input
              ref={file}
              type="file"
              accept="image/*"
              multiple
              hidden
              onChange={(event) => {
                add(event.target.files ?? []);
                event.target.value = "";
              }}
            />
          </>
        )}
        <textarea
          ref={box}
          className={styles.box}
          rows={1}
          aria-label="Message"
          placeholder={model === null ? "Install a model first" : "Ask anything"}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onPaste={onPaste}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
            event.preventDefault();
            send();
          }}
        />
        {isWriting ? (
          <IconButton
            kind="primary"
            label="Stop"
            shortcut="escape"
            icon={<Square fill="currentColor" />}
            className={styles.send}
            onClick={onStop}
          />
        ) : (
          <IconButton
            kind="primary"
            type="submit"
            label="Send"
            shortcut="enter"
            icon={<ArrowUp />}
            className={styles.send}
            disabled={!canSend}
          />
        )}
      </div>
    </form>
  );
}
