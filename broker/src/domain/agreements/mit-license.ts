import { createHash } from "node:crypto";

const LICENSE = `MIT License

Copyright (c) %YEAR% %HOLDER%

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
`;

/** Returns the license as it appears in a published repository. */
export const mitLicense = (year: number, holder: string): string =>
  LICENSE.replace("%YEAR%", String(year)).replace("%HOLDER%", () => holder);

/** The text that a participant agrees to. Any change makes a new version, which must be agreed to again. */
export const MIT_TEXT = `Publishing code under the MIT licence

You decide for each of your submissions, when you make it or any time later,
whether its code is published. Nothing is published that you did not choose,
and until the challenge closes you can take a choice back.

When the challenge closes, the code that you chose becomes public under the
licence below, with your name as the copyright holder, for anybody to use. That
cannot be taken back. You have the right to publish it: you wrote it, or its
authors allow it.

${LICENSE.replace("%YEAR%", "<year>").replace("%HOLDER%", "<your name>")}`;

/** Identifies this version of the text: the SHA-256 of its UTF-8 bytes. */
export const MIT_DIGEST = createHash("sha256").update(MIT_TEXT).digest("hex");
