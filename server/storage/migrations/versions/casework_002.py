"""when a case ended

Revision: casework_002. Revises: casework_001. Depends on: .
"""
from alembic import op
import sqlalchemy as sa


revision = 'casework_002'
down_revision = 'casework_001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('exception_case', sa.Column('ended_us', sa.BigInteger(), nullable=False, server_default='0'))
    # A case that ended before this column came ended with its last history entry.
    op.execute(
        'UPDATE exception_case SET ended_us = COALESCE((SELECT MAX(h.at_us) FROM case_history h'
        ' WHERE h.site_id = exception_case.site_id AND h.case_id = exception_case.case_id), opened_us)'
        ' WHERE NOT is_live'
    )
    op.create_index('ix_exception_case_ended', 'exception_case', ['site_id', 'ended_us', 'case_id'], unique=False, sqlite_where=sa.text('ended_us > 0'), postgresql_where=sa.text('ended_us > 0'))


def downgrade() -> None:
    op.drop_index('ix_exception_case_ended', table_name='exception_case')
    op.drop_column('exception_case', 'ended_us')
