import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";

import { IconButton } from "./Button";
import { toastProblem } from "./Toasts";

/** Copies a text and says so for a moment. */
export function CopyButton({
  text,
  label = "Copy",
}: {
  text: string | (() => string);
  label?: string;
}) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), 1600);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = () => {
    copyText(typeof text === "string" ? text : text()).then(() => setCopied(true), toastProblem);
  };
  return (
    <IconButton
      label={isCopied ? "Copied" : label}
      icon={isCopied ? <Check /> : <Copy />}
      size="s"
      onClick={copy}
    />
  );
}

/** Copy a text. Without https, away from loopback, browsers have only the old way. */
export async function copyText(text: string): Promise<void> {
  if (isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- there is no other without https
  const isDone = document.execCommand("copy");
  area.remove();
  if (!isDone) throw new Error("The browser did not let the page copy. Select the text by hand.");
}
