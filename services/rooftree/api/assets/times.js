// Times are printed in UTC; the title tells the reader's own time.
for (const element of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(element.dateTime);
  if (!Number.isNaN(moment.valueOf())) element.title = moment.toLocaleString(undefined, { timeZoneName: "short" });
}
