/** An address that a link in a model's text may lead to, else null: web pages and mail only. */
export function safeLink(href: string): string | null {
  let url: URL;
  try {
    url = new URL(href.trim());
  } catch {
    return null; // relative: it would lead into this page
  }
  return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
}

/** Whether a picture is in the text itself, or was made by this Ingle: nothing is fetched elsewhere. */
export function isOwnPicture(href: string): boolean {
  return (
    /^data:image\/(png|jpeg|gif|webp|avif);base64,[a-z0-9+/=]+$/i.test(href) ||
    /^\/generated-images\/[\w.-]+$/.test(href)
  );
}
