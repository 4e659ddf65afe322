"""${message}

Revision: ${up_revision}. Revises: ${down_revision | comma,n}. Depends on: ${depends_on | comma,n}.
"""
from alembic import op
import sqlalchemy as sa
import server.storage.columns
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
