import type { Root, RootContent } from "hast";
import { createElement, type ReactNode } from "react";
import bash from "highlight.js/lib/languages/bash";
import cpp from "highlight.js/lib/languages/cpp";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import go from "highlight.js/lib/languages/go";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import markdown from "highlight.js/lib/languages/markdown";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import { createLowlight } from "lowlight";

const lowlight = createLowlight({
  bash,
  cpp,
  css,
  diff,
  go,
  java,
  javascript,
  json,
  markdown,
  python,
  rust,
  sql,
  typescript,
  xml,
  yaml,
});

/** Code with its parts in spans of `hljs-…` classes; as it is where the language is not known. */
export function highlighted(code: string, language: string): ReactNode {
  const name = language.toLowerCase();
  if (!lowlight.registered(name)) return code;
  return shown(lowlight.highlight(name, code));
}

function shown(node: Root | RootContent): ReactNode {
  if (node.type === "text") return node.value;
  if (node.type !== "root" && node.type !== "element") return null;
  const children = node.children.map(shown);
  if (node.type === "root") return createElement("span", null, ...children);
  const names = node.properties["className"];
  const className = Array.isArray(names) ? names.join(" ") : undefined;
  return createElement("span", { className }, ...children);
}
