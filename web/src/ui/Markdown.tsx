import { ImageOff } from "lucide-react";
import { marked, type MarkedToken, type Token, type Tokens } from "marked";
import { Fragment, memo, type ReactNode } from "react";

import { CodeView } from "./CodeView";
import { isOwnPicture, safeLink } from "./links";
import styles from "./Markdown.module.css";

interface MarkdownProps {
  text: string;
}

/**
 * Text that a model wrote, as Markdown. It is data: no HTML in it is ever made HTML, links are marked
 * and lead to web pages or mail only, and pictures of other servers are not fetched but linked.
 *
 * While the text grows only its last block renders anew, so that what was read does not move.
 */
export const Markdown = memo(function Markdown({ text }: MarkdownProps) {
  const tokens = marked.lexer(text, { gfm: true, breaks: true });
  const links = Object.keys(tokens.links).length;
  return (
    <div className={styles.markdown}>
      {tokens.map((token, index) => (
        <Block key={index} token={token} links={links} />
      ))}
    </div>
  );
});

/** One block; it stays as it is while its source does, and the link targets that are known. */
const Block = memo(
  function Block({ token }: { token: Token; links: number }) {
    return block(token);
  },
  (before, after) =>
    before.token.type === after.token.type &&
    before.token.raw === after.token.raw &&
    before.links === after.links,
);

function blocks(tokens: Token[]): ReactNode {
  return tokens.map((token, index) => <Fragment key={index}>{block(token)}</Fragment>);
}

function inline(tokens: Token[] | undefined): ReactNode {
  return tokens?.map((token, index) => <Fragment key={index}>{phrase(token)}</Fragment>);
}

function block(token: Token): ReactNode {
  const it = token as MarkedToken; // marked's own kinds; there are no extensions
  switch (it.type) {
    case "heading": {
      const Heading = it.depth < 3 ? "h3" : "h4"; // below the headings of the page
      return <Heading data-depth={it.depth}>{inline(it.tokens)}</Heading>;
    }
    case "paragraph":
      return <p>{inline(it.tokens)}</p>;
    case "text":
      return it.tokens ? inline(it.tokens) : decoded(it.text);
    case "code":
      return <CodeView code={it.text} language={it.lang?.split(/\s/)[0] ?? ""} />;
    case "blockquote":
      return <blockquote>{blocks(it.tokens)}</blockquote>;
    case "list":
      return list(it);
    case "table":
      return table(it);
    case "hr":
      return <hr />;
    case "html":
      return <p>{it.raw.trim()}</p>;
    case "space":
    case "def":
      return null;
    default:
      return phrase(token);
  }
}

function list(it: Tokens.List): ReactNode {
  const items = it.items.map((item, index) => (
    <li key={index} data-task={item.task || undefined}>
      {item.task && (
        <input type="checkbox" checked={item.checked ?? false} disabled aria-label="Task" />
      )}
      {blocks(item.tokens.filter((token) => token.type !== "checkbox"))}
    </li>
  ));
  return it.ordered ? <ol start={it.start === "" ? 1 : it.start}>{items}</ol> : <ul>{items}</ul>;
}

function table(it: Tokens.Table): ReactNode {
  const cell = (one: Tokens.TableCell, index: number) =>
    one.header ? (
      <th key={index} scope="col" data-align={one.align ?? undefined}>
        {inline(one.tokens)}
      </th>
    ) : (
      <td key={index} data-align={one.align ?? undefined}>
        {inline(one.tokens)}
      </td>
    );
  return (
    <div className={styles.table} tabIndex={0} role="region" aria-label="Table">
      <table>
        <thead>
          <tr>{it.header.map(cell)}</tr>
        </thead>
        <tbody>
          {it.rows.map((row, index) => (
            <tr key={index}>{row.map(cell)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function phrase(token: Token): ReactNode {
  const it = token as MarkedToken;
  switch (it.type) {
    case "strong":
      return <strong>{inline(it.tokens)}</strong>;
    case "em":
      return <em>{inline(it.tokens)}</em>;
    case "del":
      return <del>{inline(it.tokens)}</del>;
    case "codespan":
      return <code>{it.text}</code>;
    case "br":
      return <br />;
    case "link":
      return link(it.href, it.title ?? null, inline(it.tokens));
    case "image":
      return picture(it.href, it.text);
    case "escape":
      return it.text;
    case "html":
      return /^<br\s*\/?>$/i.test(it.raw) ? <br /> : it.raw;
    case "text":
      return "tokens" in it && it.tokens ? inline(it.tokens) : decoded(it.text);
    default:
      return it.raw;
  }
}

function link(href: string, title: string | null, children: ReactNode): ReactNode {
  const url = safeLink(href);
  if (!url) return <span title={href}>{children}</span>;
  return (
    <a href={url} title={title ?? url} target="_blank" rel="noopener noreferrer nofollow ugc">
      {children}
    </a>
  );
}

function picture(href: string, text: string): ReactNode {
  if (isOwnPicture(href)) return <img src={href} alt={text} loading="lazy" />;
  const url = safeLink(href);
  if (!url) return text;
  return (
    <a
      className={styles.picture}
      href={url}
      title={`Opens ${url} in a new tab. Nothing was loaded from there.`}
      target="_blank"
      rel="noopener noreferrer nofollow ugc"
    >
      <ImageOff aria-hidden />
      {text || "Picture"} · {new URL(url).hostname || "elsewhere"}
    </a>
  );
}

const ENTITIES: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00A0",
  hellip: "…",
  mdash: "—",
  ndash: "–",
};

/** Character references as the characters that they name; React escapes what it shows. */
function decoded(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w+));/gi, (whole, ten, sixteen, name) => {
    if (name) return ENTITIES[(name as string).toLowerCase()] ?? whole;
    const code = ten ? parseInt(ten as string, 10) : parseInt(sixteen as string, 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
