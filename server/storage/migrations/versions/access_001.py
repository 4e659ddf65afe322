"""people, devices, sign-ins

Revision: access_001. Revises: . Depends on: records_001.
"""
from alembic import op
import sqlalchemy as sa
import server.storage.columns
from server.storage.migrations.append_only import protect, release


revision = 'access_001'
down_revision = None
branch_labels = ('access',)
depends_on = 'records_001'


def upgrade() -> None:
    op.create_table('access_history',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('history_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('at_us', sa.BigInteger(), nullable=False),
    sa.Column('actor', server.storage.columns.CodeText(), nullable=False),
    sa.Column('verb', server.storage.columns.CodeText(), nullable=False),
    sa.Column('subject', server.storage.columns.CodeText(), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'history_id')
    )
    op.create_index('ix_access_history_at', 'access_history', ['site_id', 'at_us'], unique=False)
    op.create_table('api_key',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('key_sha256', server.storage.columns.CodeText(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('role', server.storage.columns.CodeText(), nullable=False),
    sa.Column('created_us', sa.BigInteger(), nullable=False),
    sa.Column('revoked_us', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'key_sha256')
    )
    op.create_table('device',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('device_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('install_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('token_sha256', server.storage.columns.CodeText(), nullable=False),
    sa.Column('pin_pepper', server.storage.columns.CodeText(), nullable=False),
    sa.Column('state', server.storage.columns.CodeText(), nullable=False),
    sa.Column('app_version', sa.String(), nullable=False),
    sa.Column('enrolled_us', sa.BigInteger(), nullable=False),
    sa.Column('seen_us', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'device_id')
    )
    op.create_index('ix_device_install', 'device', ['site_id', 'install_id'], unique=False)
    op.create_index('ix_device_token', 'device', ['site_id', 'token_sha256'], unique=True)
    op.create_table('enrol_code',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('code_sha256', server.storage.columns.CodeText(), nullable=False),
    sa.Column('created_by', server.storage.columns.CodeText(), nullable=False),
    sa.Column('expires_us', sa.BigInteger(), nullable=False),
    sa.Column('used_us', sa.BigInteger(), nullable=True),
    sa.Column('used_by', server.storage.columns.CodeText(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'code_sha256')
    )
    op.create_table('person',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('user_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('role', server.storage.columns.CodeText(), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('pin_salt', server.storage.columns.CodeText(), nullable=False),
    sa.Column('pin_prehash', server.storage.columns.CodeText(), nullable=False),
    sa.Column('approve_limit_u', sa.BigInteger(), nullable=False),
    sa.Column('zones', sa.String(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('failed_us', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.site_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'user_id')
    )
    op.create_table('sign_in',
    sa.Column('site_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('token_sha256', server.storage.columns.CodeText(), nullable=False),
    sa.Column('user_id', server.storage.columns.CodeText(), nullable=False),
    sa.Column('expires_us', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['site_id', 'user_id'], ['person.site_id', 'person.user_id'], ),
    sa.PrimaryKeyConstraint('site_id', 'token_sha256')
    )
    protect('access_history')


def downgrade() -> None:
    release('access_history')
    op.drop_table('sign_in')
    op.drop_table('person')
    op.drop_table('enrol_code')
    op.drop_index('ix_device_token', table_name='device')
    op.drop_index('ix_device_install', table_name='device')
    op.drop_table('device')
    op.drop_table('api_key')
    op.drop_index('ix_access_history_at', table_name='access_history')
    op.drop_table('access_history')
