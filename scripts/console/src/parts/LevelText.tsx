import Box from '@cloudscape-design/components/box';

import { t } from '../language';
import { levelName, type Level } from './words';

/** A level, and what is in effect of it where the provider's offer is lower. */
export function LevelText({ level, effective }: { level: Level; effective: Level }) {
  return (
    <>
      {levelName(level)}
      {effective !== level && (
        <Box variant="small" display="block" color="text-body-secondary">{t('pages.level.in_effect', { level: levelName(effective) })}</Box>
      )}
    </>
  );
}
