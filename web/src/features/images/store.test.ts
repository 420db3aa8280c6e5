import "fake-indexeddb/auto";

import { expect, test } from "vitest";

import { newId } from "@/lib/ids";

import { Gallery, type Picture } from "./store";

const picture = (id: string): Picture => ({
  id,
  madeAt: 1,
  wish: { prompt: "a red circle", model: "", size: "auto", steps: "", seed: "7" },
  file: new Blob(["x"]),
});

test("pictures are kept, the newest first, until they are removed", async () => {
  const gallery = new Gallery("test");
  await gallery.keep(picture("image_1"));
  await gallery.keep(picture("image_2"));
  expect((await gallery.list()).map(({ id }) => id)).toEqual(["image_2", "image_1"]);
  await gallery.remove("image_2");
  expect((await gallery.list()).map(({ id }) => id)).toEqual(["image_1"]);
});

test("an id is a picture's own", () => {
  expect(newId("image")).not.toBe(newId("image"));
});
