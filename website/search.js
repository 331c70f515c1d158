// Questions are asked in sentences. The search takes every word as the beginning of one, so that "how do I add a
// provider" would find what begins with "a", "do" and "i", which is everything. Those words are left out of what the
// search is asked; what somebody has typed stays as it is.
const SMALL = new Set(
  ("a about an and any are as at be by can could did do does for from get had has have how i if in into is it its me my of on or " +
    "our should so that the their them there these they this to up us use was we what when where which who why will with would you your").split(" ")
);
const QUERY = 2; // the kind of message by which the theme asks its worker

function asked(text) {
  if (/["+\-*~^]/.test(text)) {
    return text; // somebody who knows the search's own signs
  }
  const words = text.split(/\s+/).map((word) => word.replace(/[?!.,]+$/, ""));
  const telling = words.filter((word) => !SMALL.has(word.toLowerCase()));
  return telling.some(Boolean) ? telling.join(" ") : text;
}

const post = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (message, ...rest) {
  const query = message && message.type === QUERY && typeof message.data === "string";
  return post.call(this, query ? { ...message, data: asked(message.data) } : message, ...rest);
};
