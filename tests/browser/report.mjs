// Opens a report in a real browser, does what a reader does, and prints what the page showed as one JSON object.
import { pathToFileURL } from "node:url";
import chromium from "@sparticuz/chromium";
import puppeteer from "puppeteer-core";

const [file, picture] = process.argv.slice(2);
const browser = await puppeteer.launch({ args: chromium.args, executablePath: await chromium.executablePath(), headless: "shell" });
try {
  const page = await browser.newPage();
  await page.setViewport({ width: 1400, height: 1000 });
  const problems = [], requests = [];
  page.on("console", (message) => { if (["error", "warn"].includes(message.type())) problems.push(message.text()); });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("request", (request) => { if (!request.url().startsWith("file:")) requests.push(request.url()); });
  await page.goto(pathToFileURL(file).href);
  const text = (selector) => page.$eval(selector, (element) => element.textContent);
  const count = (selector) => page.$$eval(selector, (elements) => elements.length);
  const seen = { title: await page.title(), shown: await text("#shown"), cells: await count(".cell"), leaks: await count(".cell.leak"), findings: await count(".finding") };

  await page.click(".cell.leak");
  seen.evidence = await text("#evidence");
  seen.open = await page.$eval("#evidence", (dialog) => dialog.open);
  await page.keyboard.press("Escape");
  seen.closed = !(await page.$eval("#evidence", (dialog) => dialog.open));

  await page.click("#verdicts input[value=leak]");
  seen.leaksHidden = await count(".cell.leak");
  await page.click("#verdicts input[value=leak]");
  await page.type("#object", "no such object");
  seen.cellsOfNothing = await count(".cell");
  await page.$eval("#object", (input) => { input.value = ""; input.dispatchEvent(new Event("input", { bubbles: true })); });
  await page.select("#persona", await page.$eval("#persona option:nth-child(2)", (option) => option.value));
  seen.people = (await count("#matrix thead th")) - 1;
  await page.select("#persona", "");
  seen.markup = await page.evaluate(() => ({ images: document.images.length, ran: globalThis.ran === true }));
  if (picture) await page.screenshot({ path: picture });
  console.log(JSON.stringify({ ...seen, problems, requests }));
} finally {
  await browser.close();
}
