"""
Questions about an organization, and their answers as values.

The command line, the HTTP API and the dashboard ask here and only print, so that all three say the same. A question is
put to an `OrganizationSource`: `LiveSource(reader, organization_id)` over the stored view, `MemorySource(organization)`
over one that is in memory, such as a snapshot.

    source = LiveSource(reader, "o-exampleorg")
    account = await source.account("222222222222", at=None)         a Standing, or None
    ceiling, bound = await find_maximum(source, account)            what it may do at most
    verdict = await check(source, account, question)                one decision and what decided it
    admitted = await who_can(source, question, at=None)             the accounts that a request is open to
    now = MemorySource(await source.organization())
    report = await what_if(source, now, [Attach("DenyRegions", "Workloads")])
    report = await compare_times(source, since, until)              what has changed between two moments
    span = await find_span(source, account_id, since, until)        the same for one account, with its rows
    tree = OrganizationTree(await source.organization())            nodes below each other, with their policies

`wording` tells a change in plain words, `grouping` tells once what many accounts have in common, and `review` puts a
report into lines of text or into Markdown.

`compare_organizations`, `what_if`, `who_can` and `compare_times` work through every account: seconds of computing for
ten thousand. In a server they belong into a process of their own, never onto the event loop.
"""
