import { queryOptions } from "@tanstack/react-query";

import { client, dataOf } from "./client";

/** Every setting with where its value came from. */
export const settingsQuery = queryOptions({
  queryKey: ["settings"],
  queryFn: () => dataOf(client.GET("/api/settings")),
});

/** Which Ingle this is. */
export const versionQuery = queryOptions({
  queryKey: ["version"],
  queryFn: () => dataOf(client.GET("/api/version")),
});
