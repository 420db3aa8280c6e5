import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { newId } from "@/lib/ids";
import { asProblem, isAbort, type Problem } from "@/lib/problem";
import { Page } from "@/ui/Page";
import { ErrorState } from "@/ui/states";
import { toast, toastProblem } from "@/ui/Toasts";

import { draw, type Drawing, pictureFile } from "./draw";
import { GalleryView } from "./GalleryView";
import styles from "./Images.module.css";
import { Missing } from "./Missing";
import { Stage } from "./Stage";
import { Gallery, type Picture, type Wish } from "./store";
import { WishForm } from "./WishForm";

const FIRST: Wish = { prompt: "", model: "", size: "auto", steps: "", seed: "" };

/** Pictures of what a prompt describes: the wish, the drawing as it comes, and what was made before. */
export default function ImagesScreen() {
  const [gallery] = useState(() => new Gallery());
  const [wish, setWish] = useState(FIRST);
  const [drawing, setDrawing] = useState<Drawing | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const running = useRef<AbortController | null>(null);
  const queries = useQueryClient();
  const pictures = useQuery({ queryKey: ["pictures"], queryFn: () => gallery.list() });
  useEffect(() => () => running.current?.abort(), []);

  const changed = () => queries.invalidateQueries({ queryKey: ["pictures"] });
  const begin = async () => {
    const stop = new AbortController();
    running.current = stop;
    setProblem(null);
    setDrawing({ prompt: wish.prompt, step: 0, steps: 0, data: null });
    try {
      for await (const event of draw(wish, stop.signal)) {
        if (event.kind === "progress") {
          const { step, steps } = event;
          setDrawing((now) => now && { ...now, step, steps });
        } else if (event.kind === "partial") {
          setDrawing((now) => now && { ...now, data: event.data });
        } else {
          const made = { ...wish, seed: event.seed };
          const file = pictureFile(event.data);
          await gallery.keep({ id: newId("image"), madeAt: Date.now(), wish: made, file });
          await changed();
        }
      }
    } catch (error) {
      if (!isAbort(error)) setProblem(asProblem(error));
    }
    if (running.current === stop) setDrawing(null);
  };
  const remove = (picture: Picture) => {
    const undo = () => void gallery.keep(picture).then(changed, toastProblem);
    gallery.remove(picture.id).then(() => {
      toast("The picture was deleted", undo);
      return changed();
    }, toastProblem);
  };
  return (
    <Page
      title="Images"
      intro="Say what the picture shows. What was made stays in this browser."
      width="wide"
    >
      <div className={styles.columns}>
        <WishForm
          wish={wish}
          onChange={setWish}
          isDrawing={drawing !== null}
          onDraw={() => void begin()}
          onStop={() => running.current?.abort()}
        />
        <div className={styles.results}>
          {problem?.code === "engine_missing" ? (
            <Missing problem={problem} />
          ) : (
            problem && <ErrorState error={problem} />
          )}
          {drawing && <Stage drawing={drawing} />}
          {pictures.error && <ErrorState error={pictures.error} />}
          {pictures.data && (
            <GalleryView
              pictures={pictures.data}
              isAlone={!drawing && !problem}
              onAgain={(picture) => setWish(picture.wish)}
              onRemove={remove}
            />
          )}
        </div>
      </div>
    </Page>
  );
}
