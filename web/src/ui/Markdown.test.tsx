import { cleanup, render } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";

import { isOwnPicture, safeLink } from "./links";
import { Markdown } from "./Markdown";

afterEach(cleanup);

const shown = (text: string) => render(<Markdown text={text} />).container;

describe("Markdown", () => {
  it.each([
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a <b onmouseover=alert(1)>bold</b> word",
    "<iframe src='https://example.com'></iframe>",
    "<svg><script>alert(1)</script></svg>",
    "<style>body{display:none}</style>",
  ])("shows HTML as the text that it is: %s", (html) => {
    const page = shown(html);
    expect(page.querySelector("script, img, b, iframe, svg, style")).toBeNull();
    expect(page.textContent).toContain(html);
  });

  it.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "/api/keys",
  ])("makes no link of %s", (href) => {
    const page = shown(`[click](${href})`);
    expect(page.querySelector("a")).toBeNull();
    expect(page.textContent).toContain("click");
  });

  it("marks links, and lets them know nothing of this page", () => {
    const link = shown("[Ingle](https://example.com/a)").querySelector("a")!;
    expect(link.href).toBe("https://example.com/a");
    expect(link.target).toBe("_blank");
    expect(link.rel).toBe("noopener noreferrer nofollow ugc");
  });

  it("does not load a picture of another server, and links it", () => {
    const page = shown("![a cat](https://example.com/cat.png?secret=1)");
    expect(page.querySelector("img")).toBeNull();
    expect(page.querySelector("a")?.textContent).toBe("a cat · example.com");
  });

  it("shows a picture that is in the text", () => {
    const page = shown("![dot](data:image/png;base64,iVBORw0KGgo=)");
    expect(page.querySelector("img")?.alt).toBe("dot");
  });

  it("shows lists, tables, code and entities", () => {
    const page = shown(
      "# Head\n\n1. one\n2. **two**\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n```python\nprint(1 < 2)\n```\n\nR&amp;D &lt;3 `a&amp;b`",
    );
    expect(page.querySelector("h3")?.textContent).toBe("Head");
    expect(page.querySelectorAll("ol > li")).toHaveLength(2);
    expect(page.querySelector("strong")?.textContent).toBe("two");
    expect(page.querySelector("td[data-align=right]")?.textContent).toBe("2");
    expect(page.querySelector("pre")?.textContent).toBe("print(1 < 2)");
    expect(page.lastElementChild?.textContent).toContain("R&D <3 a&amp;b");
  });

  it("keeps the blocks that are there while the text grows", () => {
    const { container, rerender } = render(<Markdown text={"First.\n\nSec"} />);
    const first = container.querySelector("p");
    rerender(<Markdown text={"First.\n\nSecond, and an open ```fence"} />);
    expect(container.querySelector("p")).toBe(first);
    expect(container.querySelectorAll("p")[1]?.textContent).toBe("Second, and an open ```fence");
  });
});

describe("links", () => {
  it("knows what may be linked and what may be shown", () => {
    expect(safeLink("mailto:a@example.com")).toBe("mailto:a@example.com");
    expect(safeLink("file:///etc/passwd")).toBeNull();
    expect(isOwnPicture("/generated-images/a-1.png")).toBe(true);
    expect(isOwnPicture("/generated-images/../api/keys")).toBe(false);
    expect(isOwnPicture("data:image/svg+xml;base64,PHN2Zz4=")).toBe(false);
  });
});
