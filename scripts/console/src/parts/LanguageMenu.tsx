import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';

import { asProblem, type Problem } from '../api';
import { byName, chooseLanguage, languages, nameOf, t, useLanguage } from '../language';
import { ProblemAlert } from './ProblemAlert';

/** The languages, each in its own name, on the pages that have no bar at the top. The choice is this browser's: nobody has signed in. */
export function LanguageMenu() {
  const { tag } = useLanguage();
  const [problem, setProblem] = useState<Problem>();
  return (
    <nav aria-label={t('pages.top.language')}>
      <SpaceBetween direction="horizontal" size="xxs">
        {[...languages]
          .sort((a, b) => byName(nameOf(a), nameOf(b)))
          .map((language) => (
            <Button
              key={language}
              variant={language === tag ? 'normal' : 'link'}
              formAction="none"
              nativeButtonAttributes={{ 'aria-pressed': language === tag, lang: language }}
              onClick={() => chooseLanguage(language).then(() => setProblem(undefined), (error: unknown) => setProblem(asProblem(error)))}
            >
              {nameOf(language)}
            </Button>
          ))}
      </SpaceBetween>
      {problem && <ProblemAlert problem={problem} />}
    </nav>
  );
}
