import { Toast } from "@base-ui/react/toast";
import { CircleAlert, CircleCheck, X } from "lucide-react";

import { asProblem } from "@/lib/problem";

import { Button, IconButton } from "./Button";
import styles from "./Toasts.module.css";

const manager = Toast.createToastManager();
const UNDO_MS = 8000;

/** Say that something was done; with `undo`, offer to take it back for a while. */
export function toast(title: string, undo?: () => void): void {
  const id = manager.add({
    title,
    type: "done",
    timeout: undo ? UNDO_MS : 3500,
    data: {
      undo:
        undo &&
        (() => {
          manager.close(id);
          undo();
        }),
    },
  });
}

/** Say that something failed, in the error's own words. It stays until it is closed. */
export function toastProblem(error: unknown): void {
  manager.add({ title: asProblem(error).message, type: "failed", timeout: 0, priority: "high" });
}

interface ToastData {
  undo?: () => void;
}

/** Where toasts appear; once, at the root. */
export function Toasts() {
  return (
    <Toast.Provider toastManager={manager} limit={3}>
      <Toast.Portal>
        <Toast.Viewport className={styles.viewport}>
          <List />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function List() {
  const { toasts } = Toast.useToastManager<ToastData>();
  return toasts.map((one) => (
    <Toast.Root key={one.id} toast={one} className={styles.toast}>
      {one.type === "failed" ? (
        <CircleAlert className={styles.failed} />
      ) : (
        <CircleCheck className={styles.done} />
      )}
      <Toast.Title className={styles.title} render={<div />} />
      {one.data?.undo && (
        <Button size="s" onClick={one.data.undo}>
          Undo
        </Button>
      )}
      <Toast.Close render={<IconButton label="Dismiss" icon={<X />} size="s" />} />
    </Toast.Root>
  ));
}
