import { queryOptions } from "@tanstack/react-query";

import { client, dataOf, needsSignIn } from "./client";

/** Whether this Ingle asks for a key, and whose this browser has. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: () => dataOf(client.GET("/api/session")),
  staleTime: Infinity,
});

/** Give the key once; the browser keeps a cookie that scripts cannot read. */
export async function signIn(key: string): Promise<void> {
  await dataOf(client.POST("/api/session", { body: { key } }));
  needsSignIn.set(false);
}

/** Forget the cookie. */
export async function signOut(): Promise<void> {
  await dataOf(client.DELETE("/api/session"));
  needsSignIn.set(true);
}
