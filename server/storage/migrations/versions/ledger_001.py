"""movements and checkpoints

Revision: ledger_001. Revises: . Depends on: records_001.
"""
from alembic import op
import sqlalchemy as sa
import server.storage.columns
from server.storage.migrations.append_only import protect, release


revision = 'ledger_001'
down_revision = None
branch_labels = ('ledger',)
depends_on = 'records_001'


def upgrade() -> None:
    op.create_table('checkpoint',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('bin', server.storage.columns.CodeText(), nullable=False),
    sa.Column('at_us', sa.BigInteger(), nullable=False),
    sa.Column('legs', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'bin', 'at_us')
    )
    op.create_table('checkpoint_line',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('bin', server.storage.columns.CodeText(), nullable=False),
    sa.Column('at_us', sa.BigInteger(), nullable=False),
    sa.Column('sku', server.storage.columns.CodeText(), nullable=False),
    sa.Column('lot', server.storage.columns.CodeText(), nullable=False),
    sa.Column('serial', server.storage.columns.CodeText(), nullable=False),
    sa.Column('state', server.storage.columns.CodeText(), nullable=False),
    sa.Column('quantity_u', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'bin', 'at_us', 'sku', 'lot', 'serial', 'state')
    )
    op.create_table('movement',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('movement_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('occurred_us', sa.BigInteger(), nullable=False),
    sa.Column('recorded_us', sa.BigInteger(), nullable=False),
    sa.Column('kind', server.storage.columns.CodeText(), nullable=False),
    sa.Column('sku', server.storage.columns.CodeText(), nullable=False),
    sa.Column('lot', server.storage.columns.CodeText(), nullable=False),
    sa.Column('serial', server.storage.columns.CodeText(), nullable=False),
    sa.Column('quantity_u', sa.BigInteger(), nullable=False),
    sa.Column('unit', server.storage.columns.CodeText(), nullable=False),
    sa.Column('factor_u', sa.BigInteger(), nullable=False),
    sa.Column('from_bin', server.storage.columns.CodeText(), nullable=False),
    sa.Column('from_state', server.storage.columns.CodeText(), nullable=False),
    sa.Column('to_bin', server.storage.columns.CodeText(), nullable=False),
    sa.Column('to_state', server.storage.columns.CodeText(), nullable=False),
    sa.Column('document', server.storage.columns.CodeText(), nullable=False),
    sa.Column('source', server.storage.columns.CodeText(), nullable=False),
    sa.CheckConstraint('from_bin <> to_bin OR from_state <> to_state', name='ck_movement_goes_somewhere'),
    sa.CheckConstraint('quantity_u > 0', name='ck_movement_quantity'),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'movement_id')
    )
    op.create_index('ix_movement_at', 'movement', ['site_id', 'occurred_us', 'movement_id'], unique=False)
    op.create_index('ix_movement_document', 'movement', ['site_id', 'document'], unique=False, sqlite_where=sa.text("document <> ''"), postgresql_where=sa.text("document <> ''"))
    op.create_index('ix_movement_from', 'movement', ['site_id', 'from_bin', 'occurred_us'], unique=False)
    op.create_index('ix_movement_sku', 'movement', ['site_id', 'sku', 'occurred_us'], unique=False)
    op.create_index('ix_movement_to', 'movement', ['site_id', 'to_bin', 'occurred_us'], unique=False)
    protect('movement')



def downgrade() -> None:
    release('movement')
    op.drop_index('ix_movement_to', table_name='movement')
    op.drop_index('ix_movement_sku', table_name='movement')
    op.drop_index('ix_movement_from', table_name='movement')
    op.drop_index('ix_movement_document', table_name='movement', sqlite_where=sa.text("document <> ''"), postgresql_where=sa.text("document <> ''"))
    op.drop_index('ix_movement_at', table_name='movement')
    op.drop_table('movement')
    op.drop_table('checkpoint_line')
    op.drop_table('checkpoint')
