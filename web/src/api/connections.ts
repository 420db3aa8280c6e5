import { queryOptions } from "@tanstack/react-query";

import { client, dataOf, type Schema } from "./client";

export type Connection = Schema<"ConnectionDescription">;
export type ConnectionRequest = Schema<"ConnectionRequest">;
export type ProbeResult = Schema<"ProbeResult">;

/** All connections, keys masked. */
export const connectionsQuery = queryOptions({
  queryKey: ["connections"],
  queryFn: () => dataOf(client.GET("/api/connections")),
});

/** Make a connection, or put this one in its place. */
export function saveConnection(name: string, body: ConnectionRequest): Promise<Connection> {
  return dataOf(client.PUT("/api/connections/{name}", { params: { path: { name } }, body }));
}

export async function removeConnection(name: string): Promise<void> {
  await dataOf(client.DELETE("/api/connections/{name}", { params: { path: { name } } }));
}

/** Call the server of a connection: what was called, what answered, which models are there. */
export function testConnection(name: string): Promise<ProbeResult> {
  return dataOf(client.POST("/api/connections/{name}/test", { params: { path: { name } } }));
}

/** The same of an address that is no connection yet. */
export function testAddress(body: ConnectionRequest): Promise<ProbeResult> {
  return dataOf(client.POST("/api/connections/test", { body }));
}
