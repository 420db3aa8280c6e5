import type { Model } from "@/api/models";
import { formatBytes } from "@/lib/format";
import { Picker } from "@/ui/Picker";

import { useChatModels } from "./useChatModels";

interface ModelPickerProps {
  value: string | null;
  onPick: (model: string) => void;
}

/** Which model answers: those of this machine, then those of each connection. */
export function ModelPicker({ value, onPick }: ModelPickerProps) {
  const { models, isPending } = useChatModels();
  const options = models.map((model) => ({
    value: model.id,
    label: model.id,
    detail: detailOf(model),
    group: model.owned_by === "local" ? "On this machine" : model.owned_by,
  }));
  if (value !== null && !isPending && models.every((model) => model.id !== value)) {
    options.push({ value, label: value, detail: "is no longer here", group: "Missing" });
  }
  return (
    <Picker
      label="Model"
      value={value}
      onPick={onPick}
      options={options}
      placeholder={isPending ? "…" : "No model"}
    />
  );
}

function detailOf({ installed }: Model): string | undefined {
  if (!installed) return undefined;
  if (installed.is_builtin) return "The demo: tiny, comes with Ingle, knows little";
  const sees = installed.capabilities.includes("vision") ? ", sees images" : "";
  return `${formatBytes(installed.size_bytes)}${sees}`;
}
