import createClient, { type Middleware } from "openapi-fetch";

import { asProblem, problemOf } from "@/lib/problem";
import { Signal } from "@/lib/signal";

import type { components, paths } from "./schema";

/** A shape of the server's OpenAPI description, by its name. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

/** Turns true when the server asks for a key: the app then shows the sign-in. */
export const needsSignIn = new Signal(false);

const watch: Middleware = {
  onResponse({ response }) {
    if (response.status === 401) needsSignIn.set(true);
  },
};

/** The typed client of `/api`. Cookies go along on their own; answers are `data` or `error`. */
export const client = createClient<paths>({ credentials: "same-origin" });
client.use(watch);

/** The data of an answer. Throws a `Problem` where there is none. */
export async function dataOf<T>(
  call: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  const { data, error, response } = await call.catch((reason: unknown) => {
    throw asProblem(reason);
  });
  if (!response.ok) throw problemOf(error, response.status);
  return data as T; // of an answer that is fine, the description holds; 204 is undefined
}

/** A request outside the description, such as to `/v1`. Throws a `Problem` if it fails. */
export async function send(path: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(path, { credentials: "same-origin", ...init }).catch(
    (reason: unknown) => {
      if (reason instanceof DOMException) throw reason; // aborted
      throw asProblem(reason);
    },
  );
  if (response.status === 401) needsSignIn.set(true);
  if (!response.ok) throw problemOf(await response.json().catch(() => null), response.status);
  return response;
}
