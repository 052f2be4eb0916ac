import { useEffect, useState } from 'react';
import { client, useUser } from './auth';
import { SignIn } from './sign-in';

export function App() {
  const user = useUser();
  if (user) return <Home name={user.email ?? user.id} />;
  if (user === null) return <SignIn />;
  return (
    <p>
      One moment … <button onClick={() => client.refresh()}>Try again</button>
    </p>
  );
}

function Home({ name }: { name: string }) {
  const [greeting, setGreeting] = useState('');
  useEffect(() => {
    client
      .fetch('/api/greeting')
      .then((response) => response.json())
      .then(
        (body: { greeting: string }) => setGreeting(body.greeting),
        () => setGreeting('The server cannot be reached.'),
      );
  }, [name]);
  return (
    <>
      <h1>{greeting}</h1>
      <p>You are signed in as {name}, in every tab.</p>
      <button onClick={() => client.logout()}>Sign out</button>
    </>
  );
}
