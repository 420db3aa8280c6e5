const MAX_BYTES = 20 * 1024 * 1024;

/** A picture's file as a data URI. Throws what to tell the user. */
export async function readPicture(file: File): Promise<string> {
  if (file.size > MAX_BYTES) {
    const size = Math.ceil(file.size / 1024 / 1024);
    throw new Error(`${file.name} has ${size} MB; a picture may have 20. Take a smaller one.`);
  }
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string); // `readAsDataURL` makes a string
    reader.onerror = () => reject(new Error(`${file.name} could not be read.`));
    reader.readAsDataURL(file);
  });
}
