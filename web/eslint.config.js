import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import { defineConfig, globalIgnores } from "eslint/config";
import ts from "typescript-eslint";

/**
 * Imports go down only: app > features > (api | ui) > lib. Between folders they are written `@/…`,
 * within one `./…`; `../` out of a folder of a layer would go around the rule.
 */
const forbidden = (layers, message) => ({
  "no-restricted-imports": [
    "error",
    {
      patterns: [
        ...(layers.length ? [{ group: layers.map((layer) => `@/${layer}/**`), message }] : []),
        { regex: "^\\.\\./\\.\\./", message: "Write `@/…` for what lies in another folder." },
        {
          regex: "^\\.\\./(app|features|api|ui|lib)(/|$)",
          message: "Write `@/…` for what lies in another layer.",
        },
      ],
    },
  ],
});

export default defineConfig(
  globalIgnores(["dist", "public", "src/api/schema.d.ts"]),
  js.configs.recommended,
  ts.configs.strictTypeChecked,
  hooks.configs.flat["recommended-latest"],
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-misused-promises": [
        "error",
        { checksVoidReturn: { attributes: false } },
      ],
      "@typescript-eslint/no-non-null-assertion": "off",
      "react-hooks/incompatible-library": "off", // says of react-virtual what we know
      "no-console": "error",
    },
  },
  {
    files: ["src/features/**"],
    rules: forbidden(["app", "features"], "Features are strangers to each other and to the app."),
  },
  {
    files: ["src/api/**"],
    rules: forbidden(["app", "features", "ui"], "`api` knows `lib` only."),
  },
  {
    files: ["src/ui/**"],
    rules: forbidden(["app", "features", "api"], "`ui` knows `lib` only."),
  },
  {
    files: ["src/lib/**"],
    rules: forbidden(["app", "features", "api", "ui"], "`lib` knows nothing else of ours."),
  },
  { files: ["*.js"], extends: [ts.configs.disableTypeChecked] },
);
