import { type DBSchema, type IDBPDatabase, openDB } from "idb";

/** What a picture is asked for with; an empty text leaves the choice to the server. */
export interface Wish {
  prompt: string;
  model: string;
  size: string;
  steps: string;
  seed: string;
}

/** A picture that was made here, with what made it. */
export interface Picture {
  id: string;
  madeAt: number;
  wish: Wish;
  file: Blob;
}

interface Tables extends DBSchema {
  pictures: { key: string; value: Picture };
}

/** The pictures of this browser, in IndexedDB; nothing of them is kept on the server. */
export class Gallery {
  readonly #database: Promise<IDBPDatabase<Tables>>;

  constructor(name = "ingle-pictures") {
    this.#database = openDB<Tables>(name, 1, {
      upgrade(database) {
        database.createObjectStore("pictures", { keyPath: "id" });
      },
    });
  }

  /** All, the newest first: their ids sort by when they were made. */
  async list(): Promise<Picture[]> {
    return (await (await this.#database).getAll("pictures")).reverse();
  }

  async keep(picture: Picture): Promise<void> {
    await (await this.#database).put("pictures", picture);
  }

  async remove(id: string): Promise<void> {
    await (await this.#database).delete("pictures", id);
  }
}
