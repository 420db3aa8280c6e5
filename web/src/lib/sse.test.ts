import { describe, expect, it } from "vitest";

import { EventCutter, readEvents, type ServerEvent } from "./sse";

const TEXT =
  '\uFEFF: hello\r\ndata: {"a":1}\r\n\r\nevent: piece\nid: 7\ndata: one\ndata: two\n\ndata:x\r\rdata\n\nevent: lost\n\n';
const EVENTS: ServerEvent[] = [
  { event: "message", data: '{"a":1}', id: null },
  { event: "piece", data: "one\ntwo", id: "7" },
  { event: "message", data: "x", id: "7" },
  { event: "message", data: "", id: "7" },
];

describe("EventCutter", () => {
  it("finds the same events wherever the text is split", () => {
    for (let at = 0; at <= TEXT.length; at += 1) {
      const cutter = new EventCutter();
      expect([...cutter.push(TEXT.slice(0, at)), ...cutter.push(TEXT.slice(at))]).toEqual(EVENTS);
    }
  });

  it("finds them in single characters", () => {
    const cutter = new EventCutter();
    expect(Array.from(TEXT).flatMap((character) => cutter.push(character))).toEqual(EVENTS);
  });
});

describe("readEvents", () => {
  it("decodes characters that are split over pieces", async () => {
    const bytes = new TextEncoder().encode("data: Glut 🔥\n\n");
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const found = [];
    for await (const event of readEvents(body)) found.push(event.data);
    expect(found).toEqual(["Glut 🔥"]);
  });

  it("cancels the body when the reader leaves", async () => {
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode("data: on\n\n")),
      cancel: () => {
        isCancelled = true;
      },
    });
    for await (const event of readEvents(body)) {
      expect(event.data).toBe("on");
      break;
    }
    expect(isCancelled).toBe(true);
  });
});
