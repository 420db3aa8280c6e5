import { Dialog as Base } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import type { ReactNode } from "react";

import { cx } from "@/lib/cx";

import { Button, IconButton } from "./Button";
import styles from "./Dialog.module.css";

interface DialogProps {
  isOpen: boolean;
  onClose: () => void;
  title: string;
  /** Under the title. */
  description?: ReactNode;
  /** The buttons at its end. */
  actions?: ReactNode;
  /** `drawer-left` and `drawer-right` slide in from a side, over the whole height. */
  shape?: "dialog" | "wide" | "drawer-left" | "drawer-right";
  children?: ReactNode;
}

/** A layer above the page that holds the focus until it is closed. Escape and a click beside it close it. */
export function Dialog({
  isOpen,
  onClose,
  title,
  description,
  actions,
  shape = "dialog",
  children,
}: DialogProps) {
  return (
    <Base.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <Base.Portal>
        <Base.Backdrop className={styles.backdrop} />
        <Base.Popup className={cx(styles.popup, styles[shape])}>
          <header className={styles.head}>
            <Base.Title className={styles.title}>{title}</Base.Title>
            <Base.Close render={<IconButton label="Close" icon={<X />} size="s" />} />
          </header>
          {description && (
            <Base.Description className={styles.description}>{description}</Base.Description>
          )}
          <div className={styles.body}>{children}</div>
          {actions && <footer className={styles.actions}>{actions}</footer>}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

interface ConfirmProps {
  isOpen: boolean;
  onClose: () => void;
  onConfirm: () => void;
  title: string;
  description: ReactNode;
  /** What the button says: the deed, never "OK". */
  deed: string;
}

/** Asks before something that cannot be undone. */
export function Confirm({ isOpen, onClose, onConfirm, title, description, deed }: ConfirmProps) {
  const confirm = () => {
    onClose();
    onConfirm();
  };
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title={title}
      description={description}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="danger" onClick={confirm}>
            {deed}
          </Button>
        </>
      }
    />
  );
}
