export default async ({ searchParams }) => (
  <form action="/second-factor/verify" method="post">
    <input name="method" type="hidden" value="totp" /> <input name="code" /> <input type="submit" value="Go on" />
    <input name="next" type="hidden" value={(await searchParams).next ?? ''} />
  </form>
)
