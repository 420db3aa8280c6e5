import { useQuery } from "@tanstack/react-query";
import { Brush, Square } from "lucide-react";
import type { SyntheticEvent } from "react";

import { type Model, modelsQuery } from "@/api/models";
import { useShortcut } from "@/lib/shortcuts";
import { Button } from "@/ui/Button";
import { Field, Select, TextArea, TextInput } from "@/ui/Field";
import { Card } from "@/ui/Page";

import styles from "./Images.module.css";
import type { Wish } from "./store";

const SIZES = ["auto", "256x256", "512x512", "768x512", "512x768", "1024x1024"].map((value) => ({
  value,
  label: value === "auto" ? "What the model draws best" : value.replace("x", " × "),
}));
const LONGEST_PROMPT = 1000;

interface WishFormProps {
  wish: Wish;
  onChange: (wish: Wish) => void;
  isDrawing: boolean;
  onDraw: () => void;
  onStop: () => void;
}

/** What the picture shows, and how it is made. */
export function WishForm({ wish, onChange, isDrawing, onDraw, onStop }: WishFormProps) {
  const { data } = useQuery(modelsQuery);
  const models = data?.models.filter(mayDraw).map(({ id }) => ({ value: id, label: id })) ?? [];
  const canDraw = wish.prompt.trim() !== "" && !isDrawing;
  const set = (field: keyof Wish) => (value: string) => onChange({ ...wish, [field]: value });
  useShortcut("mod+enter", () => canDraw && onDraw());
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (canDraw) onDraw();
  };
  return (
    <Card className={styles.wish}>
      <form onSubmit={submit}>
        <Field label="What it shows">
          <TextArea
            value={wish.prompt}
            maxLength={LONGEST_PROMPT}
            placeholder="a red circle on a blue background"
            onChange={(event) => set("prompt")(event.target.value)}
          />
        </Field>
        {(models.length > 0 || wish.model) && (
          <Field label="Model">
            <Select
              value={wish.model}
              onPick={set("model")}
              options={[{ value: "", label: "Ingle chooses" }, ...models]}
            />
          </Field>
        )}
        <Field label="Size">
          <Select value={wish.size} onPick={set("size")} options={SIZES} />
        </Field>
        <div className={styles.pair}>
          <Field label="Steps" help="More are slower and finer.">
            <TextInput
              type="number"
              min={1}
              max={150}
              value={wish.steps}
              placeholder="the model's"
              onChange={(event) => set("steps")(event.target.value)}
            />
          </Field>
          <Field label="Seed" help="The same draws the same.">
            <TextInput
              type="number"
              min={0}
              max={2 ** 32 - 1}
              value={wish.seed}
              placeholder="any"
              onChange={(event) => set("seed")(event.target.value)}
            />
          </Field>
        </div>
        {isDrawing ? (
          // With a key of its own: else the one element turns into "Draw" within its click, and submits.
          <Button key="stop" size="l" icon={<Square />} onClick={onStop}>
            Stop
          </Button>
        ) : (
          <Button
            key="draw"
            type="submit"
            kind="primary"
            size="l"
            icon={<Brush />}
            disabled={!canDraw}
          >
            Draw
          </Button>
        )}
      </form>
    </Card>
  );
}

/** Of a connection's model it is not known, so it may. */
function mayDraw(model: Model): boolean {
  return model.installed === null || model.installed.capabilities.includes("images");
}
