import { Brush, Download, RotateCcw, Trash2 } from "lucide-react";
import { useEffect, useState } from "react";

import { formatAge } from "@/lib/format";
import { Button, IconButton } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { EmptyState } from "@/ui/states";

import styles from "./Images.module.css";
import type { Picture } from "./store";

interface GalleryViewProps {
  pictures: readonly Picture[];
  /** Nothing else is shown beside it. */
  isAlone: boolean;
  onAgain: (picture: Picture) => void;
  onRemove: (picture: Picture) => void;
}

/** What was made before, to look at, to keep as a file, and to make again. */
export function GalleryView({ pictures, isAlone, onAgain, onRemove }: GalleryViewProps) {
  const [shown, setShown] = useState<Picture | null>(null);
  if (!pictures.length) {
    return isAlone ? (
      <EmptyState icon={<Brush />} title="No pictures yet">
        Write what the first one shows, and press Draw.
      </EmptyState>
    ) : null;
  }
  return (
    <>
      <ul className={styles.gallery} aria-label="Pictures">
        {pictures.map((picture) => (
          <li key={picture.id}>
            <figure className={styles.picture}>
              <button
                type="button"
                aria-label={`Look at: ${picture.wish.prompt}`}
                onClick={() => setShown(picture)}
              >
                <Shown picture={picture} />
              </button>
              <figcaption>
                <p title={picture.wish.prompt}>{picture.wish.prompt}</p>
                <div>
                  <span>{formatAge(picture.madeAt)}</span>
                  <IconButton
                    label="Use again"
                    icon={<RotateCcw />}
                    size="s"
                    onClick={() => onAgain(picture)}
                  />
                  <IconButton
                    label="Download"
                    icon={<Download />}
                    size="s"
                    onClick={() => download(picture)}
                  />
                  <IconButton
                    label="Delete"
                    icon={<Trash2 />}
                    size="s"
                    onClick={() => onRemove(picture)}
                  />
                </div>
              </figcaption>
            </figure>
          </li>
        ))}
      </ul>
      <Dialog
        isOpen={shown !== null}
        onClose={() => setShown(null)}
        title={shown?.wish.prompt ?? ""}
        description={shown ? madeWith(shown) : undefined}
        shape="wide"
        actions={
          shown && (
            <>
              <Button icon={<Download />} onClick={() => download(shown)}>
                Download
              </Button>
              <Button
                icon={<RotateCcw />}
                onClick={() => {
                  onAgain(shown);
                  setShown(null);
                }}
              >
                Use again
              </Button>
            </>
          )
        }
      >
        {shown && (
          <div className={styles.large}>
            <Shown picture={shown} />
          </div>
        )}
      </Dialog>
    </>
  );
}

/** A kept file as an image; its address is given back when it is shown no more. */
function Shown({ picture }: { picture: Picture }) {
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(picture.file);
    // eslint-disable-next-line react-hooks/set-state-in-effect -- the address is made and given back here
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [picture.file]);
  return <img src={address} alt={picture.wish.prompt} loading="lazy" />;
}

function madeWith({ wish }: Picture): string {
  return [
    wish.model,
    wish.size !== "auto" && wish.size.replace("x", " × "),
    wish.steps && `${wish.steps} steps`,
    wish.seed && `seed ${wish.seed}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

function download(picture: Picture): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(picture.file);
  const words = picture.wish.prompt.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? ["picture"];
  link.download = `${words.slice(0, 6).join("-")}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000); // the browser reads it meanwhile
}
