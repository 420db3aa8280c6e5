import { queryOptions } from "@tanstack/react-query";

import { client, dataOf } from "./client";

/** The engines that run, start or failed. */
export const enginesQuery = queryOptions({
  queryKey: ["engines"],
  queryFn: () => dataOf(client.GET("/api/engines")),
  retry: false,
});
